import { type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { isPlaceholder } from './placeholders.js';
import { type Spelling, readSpelling } from './spelling.js';

/**
 * Reads a phone number with its country code, in any usual spelling, as E.164. A number is right or refused: nothing is dropped from a
 * text that is not part of the number. docs/contacts.md has the rules.
 *
 * @param value a text, or a JSON number that is a safe integer
 * @returns undefined when the value is not exactly one number, has an extension, or is a carrier's placeholder
 */
export function toMsisdn(value: unknown): string | undefined {
  if (typeof value !== 'string' && !Number.isSafeInteger(value)) return undefined;
  const text = `${value as string | number}`;
  if (text !== latest.text) latest = { text, msisdn: read(text) };
  return latest.msisdn;
}

/** The last answer: a DTO's rule asks for the text that its transformation has just asked for. */
let latest: { text?: string; msisdn?: string } = {};

/** The longest number that E.164 allows. */
const MAX_DIGITS = 15;
/** The shortest number that libphonenumber knows, with its country code: a company's in Iran. */
const MIN_DIGITS = 6;
/** A country code and an area code have at most eight digits together, so a longer first group is a number in one piece. */
const ONE_PIECE = 9;

function read(text: string): string | undefined {
  const spelling = readSpelling(text);
  const number = spelling && numberOf(spelling);
  if (!number || isAmbiguous(spelling, number) || isPlaceholder(number.number)) return undefined;
  return number.number;
}

/** The number that the digits of a spelling are, if its numbering plan has such numbers. */
function numberOf({ groups, isInternational, trunkZero }: Spelling): PhoneNumber | undefined {
  const digits = withoutMexicosOne(groups.join(''));
  if (digits.length > MAX_DIGITS) return undefined;
  const number = parse(digits);
  // The country code stands together: `3. 85512345678` is an item of a list, not a number of +385.
  if (!number || !groups[0]!.startsWith(number.countryCallingCode)) return undefined;
  // The zero that is dialed inside a country belongs directly after the country code.
  if (trunkZero !== undefined && groups.slice(0, trunkZero).join('') !== number.countryCallingCode) return undefined;
  const isWhole = number.number === `+${digits}`;
  // libphonenumber drops the national prefix. Without a sign that the text has a country code, that would be a guess upon a guess.
  if (!isWhole && !isInternational && trunkZero === undefined) return undefined;
  const mayBeUnassigned = isInternational && isWhole && trunkZero === undefined;
  return (mayBeUnassigned && number.isPossible()) || number.isValid() ? number : undefined;
}

/** Whether a reader could take a part of the text for the number, and the rest for a decimal, a counter or a second number. */
function isAmbiguous(spelling: Spelling, number: PhoneNumber): boolean {
  const { groups } = spelling;
  if (groups.length === 1 || isDirectDial(spelling, number)) return false;
  // No numbering plan writes its numbers with a single digit at the end.
  if (isDecimal(spelling) || groups.at(-1)!.length === 1 || groups[0]!.length >= ONE_PIECE) return true;
  return groups.some((_, index) => index > 0 && mayEndBefore(index, spelling, number));
}

/** `85512345678.0`, `855123.45`: with one dot only, it is a decimal point, unless it stands directly after a country code. */
function isDecimal({ groups, separators, isInternational }: Spelling): boolean {
  if (separators.indexOf('dot') !== separators.length - 1) return false;
  return isZero(groups.at(-1)!) || (groups.length === 2 && !isInternational && groups[0]!.length > 3);
}

function isZero(digits: string): boolean {
  return /^0+$/.test(digits);
}

/** Whether the groups before this one may be the whole number. */
function mayEndBefore(index: number, spelling: Spelling, whole: PhoneNumber): boolean {
  const digits = spelling.groups.slice(0, index).join('');
  const part = digits.length < MIN_DIGITS ? undefined : parse(digits);
  if (!part?.isPossible()) return false;
  if (index === 1 || (part.isValid() && !whole.isValid())) return true;
  return (part.isValid() || !whole.isValid()) && index === spelling.groups.length - 1 && looksAppended(spelling);
}

/** Whether the last group is short, and a decimal's zeros, set apart by a separator of its own, or much shorter than the one before. */
function looksAppended({ groups, separators }: Spelling): boolean {
  const [before = '', last = ''] = groups.slice(-2);
  const separator = separators.at(-1)!;
  if (last.length > 3) return false;
  if (separator === 'dot' && isZero(last)) return true;
  // What follows the country code is often another separator than the rest: `+62 812-345-678`.
  const others = separators.slice(separators.length > 2 ? 1 : 0, -1);
  return !others.includes(separator) || before.length - last.length > 1;
}

/**
 * Whether the last group is a direct-dial part in the spelling of DIN 5008 and ÖNORM A 1080: `+49 30 1234567-0`. There a hyphen, the only
 * one, sets it apart from the number of the switchboard, and both together are the number to dial.
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

/** Mexico's mobile numbers had a 1 after the country code until 2019. Many address books still have it. */
function withoutMexicosOne(digits: string): string {
  return /^521\d{10}$/.test(digits) ? `52${digits.slice(3)}` : digits;
}

function parse(digits: string): PhoneNumber | undefined {
  return parsePhoneNumberFromString(`+${digits}`, { extract: false });
}
