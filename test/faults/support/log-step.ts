const started = Date.now();

/** Prints a step of the test, with the seconds since the start of the run. */
export function logStep(what: string): void {
  console.log(`${((Date.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${what}`);
}
