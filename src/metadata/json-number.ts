/** The longest text that is parsed. The largest double has 309 digits. */
const MAX_LENGTH = 400;

/** JSON's syntax of a number. Source: RFC 8259, section 6. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Parses a number in JSON's syntax: `30.0` and `3e1` are 30.
 * @returns undefined for any other text, and for a number that a double would round
 */
export function exactNumber(text: string): number | undefined {
  const match = text.length <= MAX_LENGTH ? JSON_NUMBER.exec(text) : null;
  if (!match) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  const [, fraction, exponent] = match;
  if (fraction === undefined && exponent === undefined) return isRepresentableInteger(text) ? number : undefined;
  return normalizeDecimal(text) === normalizeDecimal(String(number)) ? number : undefined;
}

/**
 * Whether a whole number survives the conversion to a double: the double is exactly that number, or JavaScript prints
 * it with the same digits, as it does with its own numbers beyond 2^53.
 */
export function isRepresentableInteger(digits: string): boolean {
  // Every whole number of up to 15 digits fits into the 53 bits of a double.
  if (digits.length <= 15) return true;
  const number = Number(digits);
  return Number.isFinite(number) && (String(number) === digits || BigInt(digits) === BigInt(number));
}

/** Returns the same text for all spellings of a decimal number: its significant digits and a power of ten. */
function normalizeDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + (digits.length - significant.length)}`;
}
