import { expect, it } from 'vitest';
import { sizeFor } from '../src/batch-operations/kinds/window.js';

it.each([
  ['nothing is known yet', 0, 0, 5_000],
  ['all were wanted', 5_000, 5_000, 5_000],
  ['every second one was wanted', 5_000, 2_500, 10_000],
  ['hardly any was wanted', 1_000_000, 3, 20_000],
  ['none was wanted', 5_000, 0, 20_000],
])('so many rows are looked at when %s', (_, cursor, processed, size) => {
  expect(sizeFor({ cursor, processed })).toBe(size);
});
