import { expect, it } from 'vitest';
import { nextWindowSize } from '../src/batch-operations/types/id-window.js';

it('doubles the window while few rows match, and returns to a chunk when many do', () => {
  expect(nextWindowSize()).toBe(5_000);
  const matches = [500, 1_000, 2_000, 4_000, 20_000, 5_000, 2_500, 5_000, 10_000];
  const sizes = [5_000, 10_000, 20_000, 20_000, 20_000, 5_000, 5_000, 10_000, 10_000];
  const next = sizes.map((scanned, index) => nextWindowSize({ scanned, processed: matches[index]! }));
  expect(next).toEqual([10_000, 20_000, 20_000, 20_000, 5_000, 5_000, 10_000, 10_000, 5_000]);
});
