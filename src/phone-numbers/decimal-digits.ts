const DECIMAL_DIGIT = /\p{Nd}/u;

/**
 * Replaces the decimal digits of every script (Khmer, Arabic, Devanagari, full width, …) with ASCII digits.
 *
 * Unicode guarantees that decimal digits (general category Nd) form runs of ten in ascending order (The Unicode
 * Standard, section 4.6). Therefore the value of a digit is its distance from the start of its run, modulo ten.
 */
export function toAsciiDigits(text: string): string {
  return text.replace(/[^\P{Nd}0-9]/gu, (digit) => String(valueOf(digit.codePointAt(0)!)));
}

function valueOf(codePoint: number): number {
  let start = codePoint;
  while (DECIMAL_DIGIT.test(String.fromCodePoint(start - 1))) start--;
  return (codePoint - start) % 10;
}
