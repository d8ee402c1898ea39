import { readTime } from '../filters/read-time.js';
import { booleanOf } from '../../metadata/client-values.js';
import { exactNumber } from '../../metadata/json-number.js';
import { type Metadata, isJsonObject } from '../../metadata/metadata.js';

/** A timestamp as the API shows it. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * Whether a client sends back a value as it was shown, in whatever way it writes that: numbers and booleans as texts,
 * nothing at all for what is empty, a list by its indexes.
 */
export function isSameValue(shown: unknown, given: unknown): boolean {
  if (isEmpty(shown)) return isEmpty(given);
  if (typeof shown === 'object') {
    if (typeof given !== 'object' || given === null) return false;
    if (Array.isArray(shown) && Array.isArray(given) && given.length < shown.length) {
      // A form may leave out what is empty in a list, too: null, and not an empty text.
      shown = shown.filter((one) => !isEmpty(one));
      given = given.filter((one) => !isEmpty(one));
    }
    const keys = new Set([...Object.keys(shown as object), ...Object.keys(given as object)]);
    return [...keys].every((key) => isSameValue(valueAt(shown as object, key), valueAt(given as object, key)));
  }
  if (typeof given === 'object') return false;
  if (shown === given) return true;
  if (typeof given !== 'string') return typeof shown === 'string' && typeof given === 'number' && shown === `${given}`;
  if (typeof shown === 'number') return exactNumber(given) === shown;
  if (typeof shown === 'boolean') return booleanOf(given) === shown;
  return typeof shown === 'string' && TIMESTAMP.test(shown) && readTime(given)?.start.toMillis() === Date.parse(shown);
}

/**
 * The value that a form gives, with the types that are shown wherever its texts say the same: a form cannot tell 5 from
 * "5", and leaves out what is empty.
 */
export function withShownTypes(shown: unknown, given: unknown): unknown {
  if (isSameValue(shown, given)) return shown;
  return isJsonObject(shown) && isJsonObject(given) ? entriesWithShownTypes(shown, given) : given;
}

/** The same for each entry of an object. An entry that the form leaves out stays out. */
export function entriesWithShownTypes(shown: Metadata, given: Metadata): Metadata {
  const typed = ([key, value]: [string, unknown]): [string, unknown] => [
    key,
    Object.hasOwn(shown, key) ? withShownTypes(shown[key], value) : value,
  ];
  return Object.fromEntries(Object.entries(given).map(typed));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isEmpty);
  return value === undefined || value === null || value === '';
}

function valueAt(container: object, key: string): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined;
}
