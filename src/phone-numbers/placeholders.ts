import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * Words that carriers spell on the keypad instead of a withheld number. Source: Twilio, "Why am I getting calls from
 * these strange numbers?" (ANONYMOUS, BLOCKED, RESTRICTED, UNAVAILABLE, UNKNOWN), and the texts of caller ID services.
 */
const WORDS = [
  'ANONYMOUS',
  'BLOCKED',
  'CONFIDENTIAL',
  'NOCALLERID',
  'OUTOFAREA',
  'PRIVATE',
  'PRIVATECALLER',
  'RESTRICTED',
  'UNAVAILABLE',
  'UNKNOWN',
  'UNKNOWNCALLER',
  'WITHHELD',
];

const KEYPAD = 'ABC2 DEF3 GHI4 JKL5 MNO6 PQRS7 TUV8 WXYZ9'.split(' ');

/** The words as digits. `8566696` is a misspelling of UNKNOWN that Twilio lists, too. */
const SPELLED_WORDS: ReadonlySet<string> = new Set([...WORDS.map(onKeypad), '8566696']);

/** Seven or more times the same digit, at the end of a number. */
const REPEATED_DIGIT = /(\d)\1{6,}$/;

/**
 * Whether carriers send this number instead of one that they do not know or may not show: a word on the keypad
 * (`+86282452253` is UNAVAILABLE), with or without a leading `1`, or one digit repeated (`+10000000000`). Such a number
 * cannot be called.
 *
 * A repeated digit is a real number if libphonenumber considers it valid: `+85599999999` is.
 *
 * @param msisdn in E.164, with its plus
 */
export function isPlaceholder(msisdn: string): boolean {
  const digits = msisdn.replace(/^\+/, '');
  if (SPELLED_WORDS.has(digits) || SPELLED_WORDS.has(digits.replace(/^1/, ''))) return true;
  if (!REPEATED_DIGIT.test(digits)) return false;
  const number = parsePhoneNumberFromString(`+${digits}`, { extract: false });
  return !number?.isValid() || /^0+$/.test(number.nationalNumber);
}

function onKeypad(word: string): string {
  return word.replaceAll(/./g, (letter) => KEYPAD.find((key) => key.includes(letter))!.slice(-1));
}
