/** The middle of some numbers. */
export function median(numbers) {
  return percentile(numbers, 50);
}

/** The number that `share` percent of them do not exceed. */
export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)];
}
