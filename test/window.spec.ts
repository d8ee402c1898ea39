import { expect, it } from 'vitest';
import { sizeAfter } from '../src/batch-operations/types/window.js';

it('looks at more and more rows while few are wanted, and at a chunk again once many are', () => {
  expect(sizeAfter()).toBe(5_000);
  const wanted = [500, 1_000, 2_000, 4_000, 20_000, 5_000, 2_500, 5_000, 10_000];
  const sizes = [5_000, 10_000, 20_000, 20_000, 20_000, 5_000, 5_000, 10_000, 10_000];
  const next = sizes.map((looked, step) => sizeAfter({ looked, processed: wanted[step]! }));
  expect(next).toEqual([10_000, 20_000, 20_000, 20_000, 5_000, 5_000, 10_000, 10_000, 5_000]);
});
