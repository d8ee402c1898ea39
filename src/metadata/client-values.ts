import type { Metadata } from './metadata.js';

// Values as clients send them: in JSON, or as text in a form or a query.

/** The words for true, in lower case. */
export const TRUE_WORDS: readonly string[] = ['true', '1', 't', 'yes', 'on'];
/** The words for false, in lower case. */
export const FALSE_WORDS: readonly string[] = ['false', '0', 'f', 'no', 'off'];
/**
 * The characters that `String.prototype.trim` removes, for SQL's `trim`. Source:
 * https://tc39.es/ecma262/#prod-WhiteSpace
 */
export const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/**
 * Converts a text, number or boolean to text. Client data must not be converted in any other way: an object may have a
 * `toString` of its own.
 * @returns undefined for any other value
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;
}

/** Parses a boolean: `true`, `1`, `yes`… in any case. @returns undefined if the value is none */
export function booleanOf(value: unknown): boolean | undefined {
  const word = textOf(value)?.trim().toLowerCase();
  if (word === undefined) return undefined;
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : undefined;
}

/** Whether a value is absent, null, or a text of white space only. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** Returns a copy without blank values. Blank items of lists are removed, and so are lists that become or are empty. */
export function withoutBlanks(object: Metadata): Metadata {
  const entries = Object.entries(object).map(([key, value]): [string, unknown] => [
    key,
    Array.isArray(value) ? value.filter((one) => !isBlank(one)) : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => !isBlank(value) && !isEmptyList(value)));
}

/** Returns `{}` for an empty list, since PHP encodes an empty map as `[]`; any other value unchanged. */
export function emptyListAsObject(value: unknown): unknown {
  return isEmptyList(value) ? {} : value;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
