import type { Metadata } from '../metadata/metadata.js';
import { BadRequestError } from '../errors/errors.js';

const MAX_DEPTH = 100;

/**
 * Checks that both databases can store a parsed value unchanged.
 * @throws BadRequestError for a NUL character or a lone surrogate (PostgreSQL stores neither), for a number beyond the
 *   range of a double, for the key `__proto__` (JavaScript may treat it as more than data), and for more than 100
 *   levels of nesting
 */
export function assertStorable(value: unknown): void {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.depth > MAX_DEPTH) throw new BadRequestError(`values are nested deeper than ${MAX_DEPTH} levels`);
    if (typeof next.value === 'string') assertStorableText(next.value);
    else if (typeof next.value === 'number' && !Number.isFinite(next.value)) {
      throw new BadRequestError('a number is too large');
    } else if (typeof next.value === 'object' && next.value !== null) {
      for (const [key, nested] of Object.entries(next.value)) {
        assertStorableText(key);
        if (key === '__proto__') throw new BadRequestError('__proto__ cannot be used as a key');
        pending.push({ value: nested, depth: next.depth + 1 });
      }
    }
  }
}

/**
 * Replaces what a database cannot store. NUL characters and lone surrogates become U+FFFD, and keys `__proto__` are
 * dropped.
 * @returns a copy of an object that was parsed from a request
 * @throws BadRequestError for a number beyond the range of a double, and for more than 100 levels of nesting
 */
export function toStorable(object: Metadata): Metadata {
  const copy = storableCopy(object, 0) as Metadata;
  assertStorable(copy);
  return copy;
}

function storableCopy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value);
  // The recursion needs an end. `assertStorable` rejects deeper values.
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => storableCopy(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, nested]) => [storableText(key), storableCopy(nested, depth + 1)]),
  );
}

function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

function assertStorableText(text: string): void {
  if (text.includes('\0')) throw new BadRequestError(`${quote(text)} holds a NUL character`);
  if (!text.isWellFormed()) throw new BadRequestError(`${quote(text)} is not well-formed Unicode`);
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 40));
