/** Free data that a client keeps with a record: any JSON object. */
export type Metadata = Record<string, unknown>;

export const mergeModes = ['merge', 'deep_merge', 'replace'] as const;
/**
 * `merge`: the top-level keys given replace those there; `deep_merge`: likewise at every depth; `replace`: nothing old
 * stays.
 */
export type MergeMode = (typeof mergeModes)[number];

/** An object in the JSON sense: no array, not null. */
export function isJsonObject(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * How long a record's metadata, or another object of a client's, may be as JSON, in bytes (contract part 2, section
 * 11).
 */
const MOST_BYTES = 65_536;

/** Whether an object is too large to be kept. */
export function isTooLarge(object: Metadata): boolean {
  return Buffer.byteLength(JSON.stringify(object)) > MOST_BYTES;
}

/** What `current` becomes when `given` is written to it. Neither is changed. */
export function mergeMetadata(current: Metadata, given: Metadata, mode: MergeMode = 'merge'): Metadata {
  if (mode === 'replace') return given;
  const merged = { ...current, ...given };
  if (mode === 'merge') return merged;
  for (const [key, value] of Object.entries(given)) {
    const old = current[key];
    if (Object.hasOwn(current, key) && isJsonObject(old) && isJsonObject(value)) {
      merged[key] = mergeMetadata(old, value, mode);
    }
  }
  return merged;
}
