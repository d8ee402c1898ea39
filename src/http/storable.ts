import type { Metadata } from '../metadata/metadata.js';
import { Unreadable } from './errors.js';

const MAX_DEPTH = 100;

/**
 * Returns `value`, parsed from a request, if every database can keep it as it is.
 * @throws Unreadable for a NUL character or half a surrogate pair (PostgreSQL stores neither), a number beyond the range of JSON's usual
 * double, a key `__proto__` (which JavaScript may take for more than data), or nesting without end
 */
export function storable<T>(value: T): T {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.depth > MAX_DEPTH) throw new Unreadable(`values are nested deeper than ${MAX_DEPTH} levels`);
    if (typeof next.value === 'string') refuseBadText(next.value);
    else if (typeof next.value === 'number' && !Number.isFinite(next.value)) {
      throw new Unreadable('a number is too large');
    } else if (typeof next.value === 'object' && next.value !== null) {
      for (const [key, nested] of Object.entries(next.value)) {
        refuseBadText(key);
        if (key === '__proto__') throw new Unreadable('__proto__ cannot be used as a key');
        pending.push({ value: nested, depth: next.depth + 1 });
      }
    }
  }
  return value;
}

/**
 * A copy of an object parsed from a request that every database can keep. Each NUL and each half of a surrogate pair
 * becomes U+FFFD, and keys `__proto__` are dropped.
 * @throws Unreadable when that is not enough: for a number beyond a double's range, or nesting that is too deep
 */
export function replaceUnstorable(object: Metadata): Metadata {
  return storable(storableCopy(object, 0) as Metadata);
}

function storableCopy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value);
  // Recursion must end; `storable` refuses what is left.
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

function refuseBadText(text: string): void {
  if (text.includes('\0')) throw new Unreadable(`${shown(text)} holds a NUL character`);
  if (!text.isWellFormed()) throw new Unreadable(`${shown(text)} is not well-formed Unicode`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 40));
