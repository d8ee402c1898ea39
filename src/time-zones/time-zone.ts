import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

/** The longest text that is looked up. The longest IANA name has 32 characters. */
const MAX_LENGTH = 64;

/** What each text of late means, since contacts repeat their few zones. An empty text: it is no zone. */
const known = new LRUCache<string, string>({ max: 2_000 });

/**
 * Reads the IANA name of a time zone. Case does not matter, and aliases such as `Asia/Kolkata` are names, too. Offsets
 * such as `+07:00` are none, because they do not follow clock changes; nor are abbreviations such as `BST`, which
 * `Intl` reads as Bangladesh's time.
 *
 * @returns the name in its usual case; undefined for any other value
 */
export function timeZoneOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined;
  const text = value.trim();
  let name = known.get(text);
  if (name === undefined) {
    name = lookUp(text);
    known.set(text, name);
  }
  return name || undefined;
}

function lookUp(text: string): string {
  // Temporal takes an offset, and a timestamp with an offset or a zone in brackets, for a zone, too.
  if (!/^[a-z][\w+-]*(\/[\w+-]+)*$/i.test(text)) return '';
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch {
    return '';
  }
}
