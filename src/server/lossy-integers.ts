import { isRepresentableInteger } from '../metadata/json-number.js';
import { BadRequestError } from '../errors/errors.js';

/** Fewer digits in a row always fit into a double. */
const LONG_DIGITS = /\d{16}/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DOT = 0x2e;

/**
 * Refuses a JSON text in which a whole number is written out that a double does not keep: it would become its neighbor,
 * and two ids one. A number with a fraction or an exponent is kept to a double's precision.
 * @param json a text that is JSON
 * @throws BadRequestError
 */
export function assertNoLossyIntegers(json: string): void {
  if (!LONG_DIGITS.test(json)) return;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (isDigit(code) || code === MINUS) {
      const start = at;
      while (isDigit(json.charCodeAt(at + 1))) at++;
      const after = json.charCodeAt(at + 1);
      if (after === DOT || after === 0x65 || after === 0x45) at = endOfNumber(json, at + 1);
      else if (!isRepresentableInteger(json.slice(start, at + 1))) {
        throw new BadRequestError('a number has more digits than can be kept; send it as a string');
      }
    }
  }
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** The index of the last character of the fraction and exponent that begin at `start`. */
function endOfNumber(json: string, start: number): number {
  let at = start;
  while (/[\d.eE+-]/.test(json[at + 1] ?? '')) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
