import { expect, it, vi } from 'vitest';
import { Batcher } from '../src/database/batcher.js';
import type { Take } from '../src/database/take-once.js';

const withCode = (code: string) => Object.assign(new Error(code), { code });
const items = [1, 2, 3, 4, 5];

/**
 * Adds all items to a batcher at the same time.
 *
 * @param process may throw; `call` counts the batches from 1
 * @returns the items of each batch, and the result or the error message of each item
 */
async function outcomes(process: (batch: number[], call: number) => void, maxBatchSize = 100) {
  const batches: number[][] = [];
  const batcher = new Batcher(async (take: Take<number>) => {
    const batch = take();
    batches.push(batch);
    process(batch, batches.length);
    return batch.map((item) => 10 * item);
  }, maxBatchSize);
  const settled = await Promise.allSettled(items.map((item) => batcher.add(item)));
  const results = settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message));
  return { batches, results };
}

it('processes concurrent items in one batch', async () => {
  expect(await outcomes(() => undefined)).toEqual({ batches: [items], results: [10, 20, 30, 40, 50] });
});

it('adds items to a batch until its transaction begins', async () => {
  const batches: number[][] = [];
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const batcher = new Batcher(async (take: Take<number>) => {
    await begun;
    const batch = take();
    expect(take()).toEqual(batch);
    batches.push(batch);
    return batch;
  }, 100);
  const first = batcher.add(1);
  await Promise.resolve();
  const second = batcher.add(2);
  begin();
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  expect(batches).toEqual([[1, 2]]);
});

it('fails the waiting items when no transaction can begin', async () => {
  const batcher = new Batcher<number, number>(async () => {
    throw withCode('ECONNREFUSED');
  }, 100);
  const settled = await Promise.allSettled(items.map((item) => batcher.add(item)));
  expect(settled.map(({ status }) => status)).toEqual(items.map(() => 'rejected'));
});

it.each(['ECONNREFUSED', '57P01', '53100', 'SQLITE_FULL', 'SQLITE_BUSY'])(
  'fails all items after one attempt when the database is unavailable (%s)',
  async (code) => {
    const { batches, results } = await outcomes(() => {
      throw withCode(code);
    });
    expect(batches).toEqual([items]);
    expect(results).toEqual(items.map(() => code));
  },
);

it.each(['40001', '40P01', '55P03'])('tries each item alone after a conflict (%s)', async (code) => {
  const { batches, results } = await outcomes((batch) => {
    if (batch.length > 1) throw withCode(code);
  });
  expect(batches).toEqual([items, ...items.map((item) => [item])]);
  expect(results).toEqual([10, 20, 30, 40, 50]);
});

it('fails only the item that causes the error', async () => {
  const { batches, results } = await outcomes((batch) => {
    if (batch.includes(3)) throw withCode('23505');
  });
  expect(batches).toEqual([items, ...items.map((item) => [item])]);
  expect(results).toEqual([10, 20, '23505', 40, 50]);
});

it('fails all other items when the database becomes unavailable while items are tried alone', async () => {
  const { batches, results } = await outcomes((_, call) => {
    if (call === 1) throw withCode('40P01');
    if (call === 3) throw withCode('ECONNRESET');
  });
  expect(batches).toEqual([items, [1], [2]]);
  expect(results).toEqual([10, ...Array(4).fill('ECONNRESET')]);
});

it.each([
  ['fails the pending items, too, after a batch that took a second to fail', 1_000, [[1, 2]]],
  ['tries the next batch after a batch that failed at once', 0, [[1, 2], [3, 4], [5]]],
])('%s', async (_, duration, expected) => {
  let clock = 0;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
  try {
    const { batches, results } = await outcomes(() => {
      clock += duration;
      throw withCode('ECONNREFUSED');
    }, 2);
    expect(batches).toEqual(expected);
    expect(results).toEqual(items.map(() => 'ECONNREFUSED'));
  } finally {
    now.mockRestore();
  }
});
