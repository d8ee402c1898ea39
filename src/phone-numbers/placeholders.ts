import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * Words that carriers spell on a phone's keypad where a caller's number is withheld.
 * Source: Twilio, "Why am I getting calls from these strange numbers?" (ANONYMOUS, BLOCKED, RESTRICTED, UNAVAILABLE, UNKNOWN), and
 * the texts that caller ID services show.
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

/** `8566696` is the misspelling of UNKNOWN that Twilio lists beside it. */
const SPELLED: ReadonlySet<string> = new Set([...WORDS.map(onKeypad), '8566696']);

/** The end of a number that nobody dials: the same digit seven times or more. */
const ONE_DIGIT = /(\d)\1{6,}$/;

/**
 * Whether a carrier puts this number in place of one that it does not know or may not show: a word on the keypad
 * (`+86282452253` is UNAVAILABLE), with or without a `1` in front, or one digit repeated (`+10000000000`). Nobody can be reached there.
 *
 * One digit repeated is a real number where libphonenumber's numbering plan has it: `+85599999999` is somebody's.
 *
 * @param msisdn in E.164, with its plus
 */
export function isPlaceholder(msisdn: string): boolean {
  const digits = msisdn.replace(/^\+/, '');
  if (SPELLED.has(digits) || SPELLED.has(digits.replace(/^1/, ''))) return true;
  if (!ONE_DIGIT.test(digits)) return false;
  const number = parsePhoneNumberFromString(`+${digits}`, { extract: false });
  return !number?.isValid() || /^0+$/.test(number.nationalNumber);
}

function onKeypad(word: string): string {
  return word.replaceAll(/./g, (letter) => KEYPAD.find((key) => key.includes(letter))!.slice(-1));
}
