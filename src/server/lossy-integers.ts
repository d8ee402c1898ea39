import { isRepresentableInteger } from '../metadata/json-number.js';
import { BadRequestError } from '../errors/errors.js';

/** A double holds every integer of fewer digits exactly. */
const LONG_DIGITS = /\d{16}/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DOT = 0x2e;

/**
 * Rejects integers that a double cannot hold exactly. Rounded, two ids could become the same. Numbers with a fraction
 * or an exponent are rounded to the precision of a double.
 * @param json valid JSON
 * @throws BadRequestError when an integer would be rounded
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

/** @returns the index of the closing quote of the string that begins at `start` */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** @returns the index of the last character of the fraction or exponent that begins at `start` */
function endOfNumber(json: string, start: number): number {
  let at = start;
  while (/[\d.eE+-]/.test(json[at + 1] ?? '')) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
