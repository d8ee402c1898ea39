import { expect, it, vi } from 'vitest';
import { Batcher } from '../src/database/batcher.js';

const coded = (code: string) => Object.assign(new Error(code), { code });
const items = [1, 2, 3, 4, 5];

/**
 * Does items together by `work`, at most so many at once. Returns the items of each round, and the result of each item.
 */
async function outcomes(work: (round: number[], call: number) => void, most = 100) {
  const rounds: number[][] = [];
  const together = new Batcher(async (round: number[]) => {
    rounds.push(round);
    work(round, rounds.length);
    return round.map((item) => 10 * item);
  }, most);
  const settled = await Promise.allSettled(items.map((item) => together.add(item)));
  const results = settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message));
  return { rounds, results };
}

it('does at once what comes at once', async () => {
  expect(await outcomes(() => undefined)).toEqual({ rounds: [items], results: [10, 20, 30, 40, 50] });
});

it.each(['ECONNREFUSED', '57P01', '53100', 'SQLITE_FULL', 'SQLITE_BUSY'])(
  'fails all of them after one try when the database cannot be used (%s)',
  async (code) => {
    const { rounds, results } = await outcomes(() => {
      throw coded(code);
    });
    expect(rounds).toEqual([items]);
    expect(results).toEqual(items.map(() => code));
  },
);

it.each(['40001', '40P01', '55P03'])('tries each by itself after a conflict (%s)', async (code) => {
  const { rounds, results } = await outcomes((round) => {
    if (round.length > 1) throw coded(code);
  });
  expect(rounds).toEqual([items, ...items.map((item) => [item])]);
  expect(results).toEqual([10, 20, 30, 40, 50]);
});

it('fails only the one that is at fault', async () => {
  const { rounds, results } = await outcomes((round) => {
    if (round.includes(3)) throw coded('23505');
  });
  expect(rounds).toEqual([items, ...items.map((item) => [item])]);
  expect(results).toEqual([10, 20, '23505', 40, 50]);
});

it('fails all the others when the database goes away while they are tried one by one', async () => {
  const { rounds, results } = await outcomes((_, call) => {
    if (call === 1) throw coded('40P01');
    if (call === 3) throw coded('ECONNRESET');
  });
  expect(rounds).toEqual([items, [1], [2]]);
  expect(results).toEqual([10, ...Array(4).fill('ECONNRESET')]);
});

it.each([
  ['also fails what waits for the next round after a round that took a second to fail', 1_000, [[1, 2]]],
  ['tries the next round after a round that failed at once', 0, [[1, 2], [3, 4], [5]]],
])('%s', async (_, duration, expected) => {
  let clock = 0;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
  try {
    const { rounds, results } = await outcomes(() => {
      clock += duration;
      throw coded('ECONNREFUSED');
    }, 2);
    expect(rounds).toEqual(expected);
    expect(results).toEqual(items.map(() => 'ECONNREFUSED'));
  } finally {
    now.mockRestore();
  }
});
