import { median } from './statistics.mjs';

/** Does ours and the floor in turn, so many times; answers the median of each, and all of them. */
export async function inTurn(rounds, ours, floor) {
  const all = { ours: [], floor: [] };
  for (let round = 0; round < rounds; round++) {
    const both = [async () => all.ours.push(await ours(round)), async () => all.floor.push(await floor(round))];
    for (const one of round % 2 === 0 ? both : both.reverse()) await one();
  }
  return { ours: median(all.ours), floor: median(all.floor), all };
}
