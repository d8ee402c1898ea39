import { parseTime } from '../filters/parse-time.js';
import { booleanOf } from '../../metadata/client-values.js';
import { exactNumber } from '../../metadata/json-number.js';
import { type Metadata, isJsonObject } from '../../metadata/metadata.js';

/** A timestamp as the API shows it. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * Clients may write a value differently: numbers and booleans as texts, lists by their indexes, and no empty values.
 * @returns whether a value from a client equals the value that the API shows
 */
export function isSameValue(shown: unknown, given: unknown): boolean {
  if (isEmpty(shown)) return isEmpty(given);
  if (typeof shown === 'object') {
    if (typeof given !== 'object' || given === null) return false;
    if (Array.isArray(shown) && Array.isArray(given) && given.length < shown.length) {
      // A form may also leave out the nulls of a list.
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
  return typeof shown === 'string' && TIMESTAMP.test(shown) && parseTime(given)?.start.toMillis() === Date.parse(shown);
}

/**
 * A form has the text "5" for the number 5, and leaves out empty values.
 * @returns the value of a form, with the shown value in each place where both are the same
 */
export function withShownTypes(shown: unknown, given: unknown): unknown {
  if (isSameValue(shown, given)) return shown;
  return isJsonObject(shown) && isJsonObject(given) ? entriesWithShownTypes(shown, given) : given;
}

/** Applies `withShownTypes` to each entry of an object. Does not add entries that the form leaves out. */
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
