import { median } from './statistics.mjs';

/** Runs the program and the baseline alternately, in that many rounds. @returns the medians, and all results */
export async function runAlternately(rounds, ours, baseline) {
  const all = { ours: [], baseline: [] };
  for (let round = 0; round < rounds; round++) {
    const both = [async () => all.ours.push(await ours(round)), async () => all.baseline.push(await baseline(round))];
    for (const one of round % 2 === 0 ? both : both.reverse()) await one();
  }
  return { ours: median(all.ours), baseline: median(all.baseline), all };
}
