/** Takes items that wait. The first call decides which ones. Further calls return the same ones. */
export type Take<Item> = () => Item[];

/**
 * @param waiting the items that wait, in order. The first call of the returned function removes those that it takes
 * @param most the maximum number of items
 */
export function takeOnce<Item>(waiting: Item[], most = Infinity): Take<Item> {
  let taken: Item[] | undefined;
  return () => (taken ??= waiting.splice(0, most));
}
