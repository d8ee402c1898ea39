import { BadRequestError } from '../errors/errors.js';

const MAX_DEPTH = 100;

/**
 * Returns `value`, parsed from a request, if every database can keep it as it is.
 * @throws BadRequestError for a NUL character or half a surrogate pair (PostgreSQL stores neither), a number beyond the range
 * of JSON's usual double, a key `__proto__` (which JavaScript may take for more than data), or nesting without end
 */
export function storable<T>(value: T): T {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.depth > MAX_DEPTH) throw new BadRequestError(`values are nested deeper than ${MAX_DEPTH} levels`);
    if (typeof next.value === 'string') refuseBadText(next.value);
    else if (typeof next.value === 'number' && !Number.isFinite(next.value)) {
      throw new BadRequestError('a number is too large');
    } else if (typeof next.value === 'object' && next.value !== null) {
      for (const [key, nested] of Object.entries(next.value)) {
        refuseBadText(key);
        if (key === '__proto__') throw new BadRequestError('__proto__ cannot be used as a key');
        pending.push({ value: nested, depth: next.depth + 1 });
      }
    }
  }
  return value;
}

function refuseBadText(text: string): void {
  if (text.includes('\0')) throw new BadRequestError(`${shown(text)} holds a NUL character`);
  if (!text.isWellFormed()) throw new BadRequestError(`${shown(text)} is not well-formed Unicode`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 40));
