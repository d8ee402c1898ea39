/** Data of a client's own, stored with a record: any JSON object. */
export type Metadata = Record<string, unknown>;

export const mergeModes = ['merge', 'deep_merge', 'replace'] as const;
/**
 * How new metadata is combined with the stored metadata:
 * - `merge`: new top-level keys replace stored ones;
 * - `deep_merge`: the same at every depth;
 * - `replace`: all stored keys are removed.
 */
export type MergeMode = (typeof mergeModes)[number];

/** Whether a value is a JSON object: neither an array nor null. */
export function isJsonObject(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The largest object of a client's that is stored, as JSON (bytes). */
const MAX_BYTES = 65_536;

/** Whether an object is too large to be stored. */
export function isTooLarge(object: Metadata): boolean {
  return Buffer.byteLength(JSON.stringify(object)) > MAX_BYTES;
}

/** Combines stored and new metadata. @returns the result; the arguments are not changed */
export function mergeMetadata(current: Metadata, changes: Metadata, mode: MergeMode = 'merge'): Metadata {
  if (mode === 'replace') return changes;
  const merged = { ...current, ...changes };
  if (mode === 'merge') return merged;
  for (const [key, value] of Object.entries(changes)) {
    const old = current[key];
    if (Object.hasOwn(current, key) && isJsonObject(old) && isJsonObject(value)) {
      merged[key] = mergeMetadata(old, value, mode);
    }
  }
  return merged;
}
