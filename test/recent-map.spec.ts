import { expect, it } from 'vitest';
import { RecentMap } from '../src/simulator/recent-map.js';

it('a map of what is recent forgets the oldest, and nothing when it is told anew of one that it has', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3);
  expect([...map]).toEqual([
    ['a', 3],
    ['b', 2],
  ]);
  expect([...map.set('c', 4).keys()]).toEqual(['b', 'c']);
});
