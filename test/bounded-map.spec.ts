import { expect, it } from 'vitest';
import { BoundedMap } from '../src/simulator/bounded-map.js';

it('a bounded map removes the key that was added first, and none when a key is set again', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3);
  expect([...map]).toEqual([
    ['a', 3],
    ['b', 2],
  ]);
  expect([...map.set('c', 4).keys()]).toEqual(['b', 'c']);
});
