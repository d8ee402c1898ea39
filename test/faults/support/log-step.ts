const started = Date.now();

/** Tells whoever watches what is being done to the programs, and when. */
export function logStep(what: string): void {
  console.log(`${((Date.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${what}`);
}
