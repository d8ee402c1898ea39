import { assert, constantFrom, property, stringMatching, tuple } from 'fast-check';
import google from 'google-libphonenumber';
import { getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import mobileExamples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import { toAsciiDigits } from '../src/phone-numbers/decimal-digits.js';
import { toMsisdn } from '../src/phone-numbers/msisdn.js';

const { PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil } = google;

/** An example number of a numbering plan, in libphonenumber's grouping. */
interface Example {
  msisdn: string;
  country: string;
  countryCode: string;
  /** The national number's groups. */
  groups: string[];
  type?: string;
}

const mobiles = getCountries().map((country): Example => {
  const number = getExampleNumber(country, mobileExamples)!;
  return example(country, number.number, number.countryCallingCode, number.formatInternational());
});

/**
 * Google's own example of each type of number in each region, as an oracle: another implementation of the same
 * metadata. Four of its numbers are left out, since the two packages have different versions of their plans.
 */
const others = Object.entries(PhoneNumberType)
  .flatMap(([type, id]) => [...regions()].map((region) => ({ region, type, id: id as number })))
  .flatMap(({ region, type, id }): Example[] => {
    const util = PhoneNumberUtil.getInstance();
    const number = id < 0 ? undefined : util.getExampleNumberForType(region, id);
    if (!number) return [];
    const msisdn = util.format(number, PhoneNumberFormat.E164);
    if (!parsePhoneNumberFromString(msisdn)?.isValid()) return [];
    const written = util.format(number, PhoneNumberFormat.INTERNATIONAL);
    return [{ ...example(region, msisdn, String(number.getCountryCode()), written), type }];
  });

const numbers = [...mobiles, ...others];

function regions(): string[] {
  return PhoneNumberUtil.getInstance().getSupportedRegions();
}

function example(country: string, msisdn: string, countryCode: string, written: string): Example {
  const groups = written
    .slice(countryCode.length + 1)
    .trim()
    .split(/[ -]/);
  return { msisdn, country, countryCode, groups };
}

const DIGITS = ['០', '٠', '۰', '໐', '၀', '०', '০', '๐', '０', '𞥐', '𝟎'].map((zero) => zero.codePointAt(0)!);

/** Spellings in address books, spreadsheets and messages. */
const spellings: Record<string, (number: Example) => string> = {
  'E.164': ({ msisdn }) => msisdn,
  'without a plus': ({ msisdn }) => msisdn.slice(1),
  'with 00': ({ msisdn }) => `00${msisdn.slice(1)}`,
  'by spaces': ({ countryCode, groups }) => `+${countryCode} ${groups.join(' ')}`,
  'by spaces, without a plus': ({ countryCode, groups }) => `${countryCode} ${groups.join(' ')}`,
  'by spaces, with 00': ({ countryCode, groups }) => `00 ${countryCode} ${groups.join(' ')}`,
  'by dashes': ({ countryCode, groups }) => `+${countryCode}-${groups.join('-')}`,
  'by dots': ({ countryCode, groups }) => `${countryCode}.${groups.join('.')}`,
  'by no-break spaces': ({ countryCode, groups }) => `+${countryCode}\u00A0${groups.join('\u202F')}`,
  'by long dashes': ({ countryCode, groups }) => `+${countryCode} ${groups.join('–')}`,
  'the code in brackets': ({ countryCode, groups }) => `(+${countryCode}) ${groups.join(' ')}`,
  'the code in brackets, with 00': ({ countryCode, groups }) => `(00${countryCode})${groups.join('')}`,
  'the first group in brackets': ({ countryCode, groups: [first, ...rest] }) =>
    rest.length > 0 ? `+${countryCode} (${first}) ${rest.join(' ')}` : `+${countryCode} ${first}`,
  'all in brackets': ({ countryCode, groups }) => `(+${countryCode} ${groups.join(' ')})`,
  'the code apart': ({ countryCode, groups }) => `+${countryCode} ${groups.join('')}`,
  'as a URI': ({ countryCode, groups }) => `tel:+${countryCode}-${groups.join('-')}`,
  'as a spreadsheet’s text': ({ msisdn }) => `'${msisdn}`,
  'in full width': ({ countryCode, groups }) => inDigitsFrom(`＋${countryCode}　${groups.join('　')}`, DIGITS[8]!),
};

function inDigitsFrom(text: string, zero: number): string {
  return text.replaceAll(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
}

/** Suffixes that make the text more than a number. */
const suffixes = [
  ['.0', '.00', '.5', '/2', '/12', ' / 2', ' (2)', '(2)', '-1', ' - 1', '-2', ' 2', '.2', ',5', '#5', '*5', ' x5'],
  [' ext. 5', ';ext=5', ',,5', 'a', ' a', 'O', '!', '?', '%', '$1', '=', '_1', '~', '\n1', '\t1', ' or 1'],
].flat();
const decorations = suffixes.map(
  (suffix): ((number: Example) => string) =>
    () =>
      suffix,
);
decorations.push(
  ({ msisdn }) => ` ${msisdn}`,
  ({ msisdn }) => msisdn,
  ({ msisdn }) => `/${msisdn}`,
  ({ msisdn }) => `, ${msisdn}`,
  ({ msisdn }) => `\n${msisdn}`,
  ({ msisdn }) => ` ${msisdn.slice(1)}`,
  ({ msisdn }) => ` 00${msisdn.slice(1)}`,
  ({ groups }) => ` / ${groups.join('')}`,
);

/** In Germany and Austria the part after the hyphen is dialed, too: DIN 5008, ÖNORM A 1080. */
const isDirectDial = ({ countryCode, type }: Example, text: string): boolean =>
  ['49', '43'].includes(countryCode) && (type?.startsWith('FIXED_LINE') ?? false) && /\p{Nd} ?- ?\d$/u.test(text);

describe('the example numbers of libphonenumber', () => {
  it('cover all 245 calling regions and all types of numbers', () => {
    expect(mobiles).toHaveLength(245);
    expect(others.length).toBeGreaterThan(1_300);
  });

  it.each(Object.entries(spellings))('are parsed: %s', (_, spell) => {
    const read = numbers.map((number) => ({ text: spell(number), msisdn: toMsisdn(spell(number)) }));
    expect(read).toEqual(numbers.map((number) => ({ text: spell(number), msisdn: number.msisdn })));
  });

  it.each(Object.entries(spellings))('are rejected with anything after them: %s', (_, spell) => {
    const taken = numbers
      .flatMap((number) => decorations.map((decorate) => ({ number, text: spell(number) + decorate(number) })))
      .filter(({ number, text }) => toMsisdn(text) !== undefined && !isDirectDial(number, text));
    expect(taken).toEqual([]);
  });

  it.each(['1. ', '3. ', '(2) ', '+', '-', '0', 'a', '"', '#', '1/', 'sip:', 'fax:', '00 ', '+0', '1, '])(
    'are rejected after %j',
    (before) => {
      const withPlus = numbers.map(({ msisdn }) => before + msisdn);
      expect(withPlus.filter(toMsisdn)).toEqual([]);
      // With these, a number without a plus is international; `1. ` with ten digits is a number in North America.
      if (['+', '00 ', '1. '].includes(before)) return;
      expect(numbers.map(({ msisdn }) => before + msisdn.slice(1)).filter(toMsisdn)).toEqual([]);
    },
  );
});

const INVISIBLE = [
  [0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2066, 0x2069],
  [0x00ad, 0x061c, 0xfeff, 0xfe0f, 0xe0020],
]
  .flat()
  .map((codePoint) => String.fromCodePoint(codePoint));
const invisible = constantFrom(...INVISIBLE);
const number = constantFrom(...numbers);
const spelling = constantFrom(...Object.values(spellings));

describe('every spelling of every example number', () => {
  it('has the same result with invisible characters around and inside, in the digits of any script', () => {
    const marks = tuple(invisible, invisible, invisible);
    assert(
      property(number, spelling, constantFrom(...DIGITS), marks, (one, spell, zero, [before, inside, after]) => {
        const text = inDigitsFrom(spell(one), zero);
        const middle = Array.from(text);
        middle.splice(Math.floor(middle.length / 2), 0, inside);
        expect(toMsisdn(` ${before}${middle.join('')}${after}\r\n`)).toBe(one.msisdn);
      }),
      { numRuns: 5_000 },
    );
  });

  it('never becomes another number when something is added before or after it', () => {
    const addition = stringMatching(/^(?: ?[-./,;:_()+#*x&|~]? ?[a-z0-9]{0,2}){1,2}$/);
    assert(
      property(number, spelling, addition, constantFrom(0, 1), (one, spell, more, place) => {
        const text = place === 0 ? spell(one) + more : more + spell(one);
        const read = toMsisdn(text);
        if (read === undefined || read === one.msisdn || isDirectDial(one, text)) return;
        // Only further digits may make another number: the one that libphonenumber parses from all digits.
        const digits = toAsciiDigits(text.trim())
          .replaceAll(/^\(?00|[^\d]/g, '')
          .replace(/^521(?=\d{10}$)/, '52');
        expect(read).toBe(parsePhoneNumberFromString(`+${digits}`, { extract: false })?.number);
        expect(more.replaceAll(/[-. ()]/g, '')).toMatch(/^\+?\d+$/);
      }),
      { numRuns: 20_000 },
    );
  });
});
