const UNITS = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3_600 },
  { name: 'min', seconds: 60 },
  { name: 's', seconds: 1 },
];

/** @returns a length of time for people, by its two largest units: `2 h 55 min`, `3 d`, `45 s`, `0 s` */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const largest = UNITS.findIndex((unit) => seconds >= unit.seconds);
  const [unit, next] = UNITS.slice(largest);
  if (largest < 0 || !unit) return '0 s';
  const amount = Math.floor(seconds / unit.seconds);
  const rest = next ? Math.floor((seconds % unit.seconds) / next.seconds) : 0;
  return rest > 0 ? `${amount} ${unit.name} ${rest} ${next!.name}` : `${amount} ${unit.name}`;
}
