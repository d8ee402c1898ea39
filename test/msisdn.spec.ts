import { describe, expect, it } from 'vitest';
import { toAsciiDigits } from '../src/phone-numbers/decimal-digits.js';
import { parseCaller } from '../src/phone-numbers/caller.js';
import { toMsisdn } from '../src/phone-numbers/msisdn.js';
import { isPlaceholder } from '../src/phone-numbers/placeholders.js';

describe('toMsisdn', () => {
  it.each([
    ['+85510202101'],
    ['85510202101'],
    [' 85510202101'],
    ['\t85510202101\r\n'],
    ['855 10 202 101'],
    ['+855-10-202-101'],
    ['+855 (10) 202 101'],
    ['(+855) 10 202 101'],
    ['(+855)(10)202101'],
    ['+(855) 10 202 101'],
    ['(+855 10 202 101)'],
    ['+855 (10) - 202 - 101'],
    ['0085510202101'],
    ['00 855 10 202 101'],
    ['(00855) 10 202 101'],
    ['+ 855 10 202 101'],
    ['855.10.202.101'],
    ['+855.10202101'],
    ['+855·10·202·101'],
    ['+855‑10–202−101'],
    ['tel:+855-10-202-101'],
    ['TEL: +85510202101'],
    ["'+85510202101"],
    ['’85510202101'],
    ['＋８５５　１０　２０２　１０１'],
    ['（＋855）10 202 101'],
    ['\u202A+85510202101\u202C'],
    ['\uFEFF+855\u200E10\u2060202\u200B101\u200F'],
    ['+855\u00A010\u2009202\u202F101'],
    ['+៨៥៥១០២០២១០១'],
    ['+٨٥٥ ١٠ ٢٠٢ ١٠١'],
    ['+۸۵۵۱۰۲۰۲۱۰۱'],
    ['+໘໕໕໑໐໒໐໒໑໐໑'],
    ['+၈၅၅၁၀၂၀၂၁၀၁'],
    ['+८५५१०२०२१०१'],
    ['+𞥘𞥕𞥕𞥑𞥐𞥒𞥐𞥒𞥑𞥐𞥑'],
    ['+𝟖𝟓𝟓𝟏𝟎𝟐𝟎𝟐𝟏𝟎𝟏'],
    ['+855 (0)10 202 101'],
    ['855 (0) 10 202 101'],
    ['+855 010 202 101'],
    [85510202101],
  ])('parses %j', (spelling) => {
    expect(toMsisdn(spelling)).toBe('+85510202101');
  });

  it.each([
    ['+44 (0)20 7946 0958', '+442079460958'],
    ['+39 (0)6 1234 5678', '+390612345678'],
    ['+7 (8) 495 123-45-67', '+74951234567'],
    ['+36 (06) 1 234 5678', '+3612345678'],
    ['+49 30 1234567-0', '+493012345670'],
    ['+49 (0)30 1234567-0', '+493012345670'],
    ['+49 30 1234567 - 12', '+4930123456712'],
    ['+43 1 58858-0', '+431588580'],
    ['+52 1 55 1234 5678', '+525512345678'],
    ['5215512345678', '+525512345678'],
    ['+46 8 123 456 78', '+46812345678'],
    ['+39 02 1234-5678', '+390212345678'],
    ['+598-2123 1234', '+59821231234'],
    ['+1 (201) 555-0123', '+12015550123'],
    ['1.201.555.0123', '+12015550123'],
    ['(+55 11) 91234-5678', '+5511912345678'],
    ['82.10.2000.0000', '+821020000000'],
    ['298.211234', '+298211234'],
    ['+290 8311', '+2908311'],
    ['+98 9601', '+989601'],
    // What libphonenumber keeps apart stays apart: with Argentina's 9 it is a mobile phone.
    ['+54 11 2345 6789', '+541123456789'],
    ['+54 9 11 2345 6789', '+5491123456789'],
  ])('parses %j as %s', (spelling, msisdn) => {
    expect(toMsisdn(spelling)).toBe(msisdn);
  });

  it.each([
    ['', 'nothing'],
    ['abc', 'no digits'],
    ['+', 'a plus alone'],
    ['+855', 'a country without a number'],
    ['+85510', 'too short to be possible'],
    ['+8551020210111111', 'too long to be possible'],
    [`+855${'1'.repeat(1_000_000)}`, 'a million digits'],
    [`+855${' '.repeat(1_000_000)}10202101`, 'a million spaces'],
    ['+6281234567890123', 'more digits than E.164 has'],
    ['10202101', 'no country code that there is'],
    ['+85510202101 ext. 5', 'an extension, which cannot be dialed'],
    ['+85510202101;ext=5', 'an extension'],
    ['+85510202101#5', 'an extension'],
    ['+85510202101 x5', 'an extension'],
    ['+85510202101,,5', 'an extension after pauses'],
    ['call +85510202101 now', 'a number among other words'],
    ['+85510202101, +85510202102', 'two numbers'],
    ['+85510202101 +85510202102', 'two numbers'],
    ['85510202101 85510202102', 'two numbers'],
    ['+85510202101\n+85510202102', 'two lines'],
    ['+855 10 202\n101', 'a line break inside'],
    ['+855\t10202101', 'two cells'],
    ['+999 1234567', 'a country that there is not'],
    ['85512345678.0', 'a decimal'],
    ['85512345678.00', 'a decimal'],
    ['+855 12 345 678.0', 'a decimal'],
    ['+855.12.345.678.00', 'a decimal'],
    ['2023450123.0', 'a decimal that would be a number in Egypt'],
    ['855123456.78', 'a decimal'],
    ['8.5512345678E+10', 'an exponent'],
    ['85,512,345,678', 'commas'],
    ['85512345678/2', 'a slash and more'],
    ['+49 30/1234567', 'a slash'],
    ['85512345678 (2)', 'a counter in brackets'],
    ['855 12 345 678 (2)', 'a counter in brackets'],
    ['85512345678-1', 'a counter'],
    ['855-12-345-678-1', 'a counter'],
    ['+855 12 345 678 2', 'a counter'],
    ['85512345678-12', 'a counter'],
    ['+43-664-123456-12', 'a counter'],
    ['+62 812-345-678 12', 'a counter'],
    ['2023450123-1', 'a counter after a number that would be another one in Egypt'],
    ['+49 30123456-1', 'a counter: without the area code set apart it is no direct-dial part'],
    ['+49 1511 2345678-1', 'a mobile phone has no direct-dial part'],
    ['3. 85512345678', 'an item of a list, which would be a number in Croatia'],
    ['1) +85510202101', 'an item of a list'],
    ['85510202101)', 'a bracket without its pair'],
    ['(+62 812 345 678).00', 'a decimal behind brackets'],
    ['(855 10 (202) 101', 'a bracket without its pair'],
    ['-85510202101', 'a negative number'],
    ['85510202101-', 'a dash at the end'],
    ['85510202101.', 'a dot at the end'],
    ['++85510202101', 'two plus signs'],
    ['+0085510202101', 'a plus and two zeros'],
    ["''+85510202101", 'two apostrophes'],
    ['"+85510202101"', 'quotes'],
    ['²85510202101', 'a digit that is no decimal digit'],
    ['+8551O202101', 'a letter for a digit'],
    ['sip:+85510202101@sip.example.org', 'a SIP address'],
    ['whatsapp:+85510202101', 'an address of another service'],
    ['2025550123', 'a national number, whose beginning is the code of Egypt'],
    ['5307550123', 'a national number, which would be one in Cuba without its zero'],
    ['855010202101', 'a trunk zero without a sign that a country code is there'],
    ['+39 (0)347 123 4567', 'a trunk zero where there is none'],
    ['+44 20 (0) 7946 0958', 'a trunk zero in the wrong place'],
    [1.5, 'no whole number'],
    [-85510202101, 'a negative number'],
    [2 ** 53, 'a number that may have been rounded'],
    [true, 'no text'],
    [['+85510202101'], 'a list'],
    [{ number: '+85510202101' }, 'an object'],
    [null, 'null'],
  ] as [unknown, string][])('rejects %j: %s', (spelling) => {
    expect(toMsisdn(spelling)).toBeUndefined();
  });

  it('accepts a possible but unassigned number only with + or 00', () => {
    expect(toMsisdn('+855 52 123 456')).toBe('+85552123456');
    expect(toMsisdn('0085552123456')).toBe('+85552123456');
    expect(toMsisdn('85552123456')).toBeUndefined();
  });
});

describe('isPlaceholder', () => {
  it.each([
    '+86282452253',
    '+186282452253',
    '+266696687',
    '+7378742833',
    '+17378742833',
    '+2562533',
    '+8656696',
    '+8566696',
    '+10000000000',
    '+11111111111',
    '+15555555555',
    '+12010000000',
    '+85500000000',
    '+490000000000',
  ])('is true for %s, which is then no number', (msisdn) => {
    expect(isPlaceholder(msisdn)).toBe(true);
    expect(toMsisdn(msisdn)).toBeUndefined();
    expect(toMsisdn(msisdn.slice(1))).toBeUndefined();
    expect(parseCaller(msisdn).msisdn).toBeUndefined();
  });

  it.each(['+85510202101', '+85599999999', '+6588888888', '+12015550123'])('is false for %s', (msisdn) => {
    expect(isPlaceholder(msisdn)).toBe(false);
    expect(toMsisdn(msisdn)).toBe(msisdn);
  });
});

describe('parseCaller', () => {
  it.each([
    '+85510202101',
    'tel:+85510202101',
    'sip:+85510202101@sip.example.org',
    'sip:85510202101@10.0.0.1:5060;transport=udp',
    'SIPS:%2B85510202101:secret@sip.example.org',
    'sip:+85510202101;npdi@sip.example.org;user=phone',
    '"Srey Mom" <sip:+85510202101@sip.example.org>;tag=1',
  ])('parses %j', (from) => {
    expect(parseCaller(from).msisdn).toBe('+85510202101');
  });

  it.each([
    '',
    'Anonymous',
    'Restricted',
    '2442',
    'client:alice',
    'client:+85510202101',
    'sip:alice@sip.example.org',
    'sip:2442@sip.example.org',
    'sip:anonymous@anonymous.invalid',
    'sip:+86282452253@sip.example.org',
    'sip:+85510202101',
    undefined,
    null,
    {},
  ])('finds no number in %j', (from) => {
    expect(parseCaller(from).msisdn).toBeUndefined();
  });
});

describe('toAsciiDigits', () => {
  it('converts the digits of every numbering system of the platform', () => {
    const systems = Intl.supportedValuesOf('numberingSystem').map((numberingSystem) => {
      const format = new Intl.NumberFormat('en', { numberingSystem, useGrouping: false });
      return { numberingSystem, written: format.format(1234567890) };
    });
    // `hanidec` writes ideographs, which are not decimal digits of Unicode.
    const decimal = systems.filter(({ written }) => /^\p{Nd}+$/u.test(written));
    expect(decimal.length).toBeGreaterThan(50);
    for (const { numberingSystem, written } of decimal)
      expect([numberingSystem, toAsciiDigits(written)]).toEqual([numberingSystem, '1234567890']);
  });

  it('relies on runs of ten, which all decimal digits of Unicode form', () => {
    let run = '';
    for (let codePoint = 0; codePoint <= 0x10_ff_ff; codePoint++) {
      const character = String.fromCodePoint(codePoint);
      if (/\p{Nd}/u.test(character)) run += character;
      else if (run !== '') {
        expect(toAsciiDigits(run)).toMatch(/^(?:0123456789)+$/);
        run = '';
      }
    }
  });
});
