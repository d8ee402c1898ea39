/** More digits than anybody writes: the largest double has 309. */
const LONGEST = 400;

/** A number as JSON writes it. Source: RFC 8259, section 6. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * The number that a text writes in JSON's way, if a double holds it: `30.0` and `3e1` are 30. Undefined for any other
 * text, and for a number that would be rounded.
 */
export function exactNumber(text: string): number | undefined {
  const match = text.length <= LONGEST ? JSON_NUMBER.exec(text) : null;
  if (!match) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  const [, fraction, exponent] = match;
  if (fraction === undefined && exponent === undefined) return isKeptInteger(text) ? number : undefined;
  return decimalOf(text) === decimalOf(String(number)) ? number : undefined;
}

/**
 * Whether a double keeps a whole number that is written out: it holds the number exactly, or it is shown with the very
 * same digits, as JavaScript writes its own numbers beyond 2^53.
 */
export function isKeptInteger(digits: string): boolean {
  // Every whole number of up to 15 digits fits into 53 bits.
  if (digits.length <= 15) return true;
  const number = Number(digits);
  return Number.isFinite(number) && (String(number) === digits || BigInt(digits) === BigInt(number));
}

/** One spelling for each decimal number: its significant digits, and the power of ten that they are multiplied by. */
function decimalOf(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + (digits.length - significant.length)}`;
}
