import type { Metadata } from './metadata.js';

// Values as clients write them: in JSON, or as the texts of a form or a query.

/** The spellings of true, in lower case. */
export const TRUE_WORDS: readonly string[] = ['true', '1', 't', 'yes', 'on'];
/** The spellings of false, in lower case. */
export const FALSE_WORDS: readonly string[] = ['false', '0', 'f', 'no', 'off'];
/**
 * The characters that `String.prototype.trim` removes, for SQL's `trim`. Source:
 * https://tc39.es/ecma262/#prod-WhiteSpace
 */
export const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/**
 * The text of a value that has one: a text, a number, a boolean. Undefined for anything else. Data must never be turned
 * into text in another way: an object may bring a `toString` of its own.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;
}

/** The boolean that a value spells, in any case; undefined when it spells none. */
export function booleanOf(value: unknown): boolean | undefined {
  const word = textOf(value)?.trim().toLowerCase();
  if (word === undefined) return undefined;
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : undefined;
}

/** Whether a value is none: absent, null, or a text of nothing but spaces. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** An object without its blank keys. Blanks in a list are left out, and so is a list that has nothing else. */
export function withoutBlanks(object: Metadata): Metadata {
  const entries = Object.entries(object).map(([key, value]): [string, unknown] => [
    key,
    Array.isArray(value) ? value.filter((one) => !isBlank(one)) : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => !isBlank(value) && !isEmptyList(value)));
}

/** An empty list as the empty object that PHP means by it; anything else as it is. */
export function mapOf(value: unknown): unknown {
  return isEmptyList(value) ? {} : value;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
