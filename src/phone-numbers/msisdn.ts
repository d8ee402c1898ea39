import { type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { isPlaceholder } from './placeholders.js';
import { type Spelling, parseSpelling } from './spelling.js';

/**
 * Parses a phone number with its country code, in any common spelling, into E.164. The whole value must be the number:
 * no part of it is ignored. docs/contacts.md has the rules.
 *
 * @param value a text, or a JSON number that is a safe integer
 * @returns undefined if the value is not exactly one number, has an extension, or is a carrier's placeholder
 */
export function toMsisdn(value: unknown): string | undefined {
  if (typeof value !== 'string' && !Number.isSafeInteger(value)) return undefined;
  const text = `${value as string | number}`;
  if (text !== latest.text) latest = { text, msisdn: parseText(text) };
  return latest.msisdn;
}

/** The latest result: a DTO's validation parses the same text as its transformation just before. */
let latest: { text?: string; msisdn?: string } = {};

/** The longest number that E.164 allows. */
const MAX_DIGITS = 15;
/** The shortest number that libphonenumber knows, including its country code: a corporate number in Iran. */
const MIN_DIGITS = 6;
/**
 * A country code and an area code have at most eight digits together, so a first group of this length is a whole
 * number.
 */
const MIN_WHOLE_NUMBER = 9;

function parseText(text: string): string | undefined {
  const spelling = parseSpelling(text);
  const number = spelling && resolveNumber(spelling);
  if (!number || isAmbiguous(spelling, number) || isPlaceholder(number.number)) return undefined;
  return number.number;
}

/** Returns the number that the digits of a spelling form, if its numbering plan has such numbers. */
function resolveNumber({ groups, isInternational, trunkZero }: Spelling): PhoneNumber | undefined {
  const digits = withoutMexicanMobilePrefix(groups.join(''));
  if (digits.length > MAX_DIGITS) return undefined;
  const number = parseDigits(digits);
  // A country code is never split: `3. 85512345678` is a list item, not a number of +385.
  if (!number || !groups[0]!.startsWith(number.countryCallingCode)) return undefined;
  // A trunk zero must directly follow the country code.
  if (trunkZero !== undefined && groups.slice(0, trunkZero).join('') !== number.countryCallingCode) return undefined;
  const isWhole = number.number === `+${digits}`;
  // libphonenumber dropped a national prefix. Unless the text is known to have a country code, that is too much
  // guessing.
  if (!isWhole && !isInternational && trunkZero === undefined) return undefined;
  const mayBeUnassigned = isInternational && isWhole && trunkZero === undefined;
  return (mayBeUnassigned && number.isPossible()) || number.isValid() ? number : undefined;
}

/** Whether a part of the text could be the number, and the rest a decimal fraction, a counter or a second number. */
function isAmbiguous(spelling: Spelling, number: PhoneNumber): boolean {
  const { groups } = spelling;
  if (groups.length === 1 || isDirectDial(spelling, number)) return false;
  // In no numbering plan is the last group a single digit.
  if (isDecimal(spelling) || groups.at(-1)!.length === 1 || groups[0]!.length >= MIN_WHOLE_NUMBER) return true;
  return groups.some((_, index) => index > 0 && mayEndBefore(index, spelling, number));
}

/** `85512345678.0`, `855123.45`: a single dot is a decimal point, unless it directly follows a country code. */
function isDecimal({ groups, separators, isInternational }: Spelling): boolean {
  if (separators.indexOf('dot') !== separators.length - 1) return false;
  return isZero(groups.at(-1)!) || (groups.length === 2 && !isInternational && groups[0]!.length > 3);
}

function isZero(digits: string): boolean {
  return /^0+$/.test(digits);
}

/** Whether the groups before this one could be the whole number. */
function mayEndBefore(index: number, spelling: Spelling, whole: PhoneNumber): boolean {
  const digits = spelling.groups.slice(0, index).join('');
  const part = digits.length < MIN_DIGITS ? undefined : parseDigits(digits);
  if (!part?.isPossible()) return false;
  if (index === 1 || (part.isValid() && !whole.isValid())) return true;
  return (part.isValid() || !whole.isValid()) && index === spelling.groups.length - 1 && looksAppended(spelling);
}

/**
 * Whether the last group is short, and is either the zeros of a decimal fraction, separated differently from the other
 * groups, or much shorter than the group before.
 */
function looksAppended({ groups, separators }: Spelling): boolean {
  const [before = '', last = ''] = groups.slice(-2);
  const separator = separators.at(-1)!;
  if (last.length > 3) return false;
  if (separator === 'dot' && isZero(last)) return true;
  // The separator after the country code often differs from the others: `+62 812-345-678`.
  const others = separators.slice(separators.length > 2 ? 1 : 0, -1);
  return !others.includes(separator) || before.length - last.length > 1;
}

/**
 * Whether the last group is an extension for direct dialing, as DIN 5008 and ÖNORM A 1080 write it: `+49 30 1234567-0`.
 * The only hyphen separates it from the number of the switchboard; the number to dial is both together.
 */
function isDirectDial({ groups, separators, isInternational }: Spelling, number: PhoneNumber): boolean {
  return (
    isInternational &&
    groups.length > 3 &&
    separators.indexOf('dash') === separators.length - 1 &&
    (number.country === 'DE' || number.country === 'AT') &&
    number.getType() === 'FIXED_LINE'
  );
}

/**
 * Removes the 1 that Mexican mobile numbers had after the country code until 2019. Many address books still have it.
 */
function withoutMexicanMobilePrefix(digits: string): string {
  return /^521\d{10}$/.test(digits) ? `52${digits.slice(3)}` : digits;
}

function parseDigits(digits: string): PhoneNumber | undefined {
  return parsePhoneNumberFromString(`+${digits}`, { extract: false });
}
