import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStorableJson } from '../src/server/request-bodies.js';
import { exactNumber, isRepresentableInteger } from '../src/metadata/json-number.js';

const TOO_MANY_DIGITS = 'a number has more digits than can be kept; send it as a string';

describe('a number in a JSON body', () => {
  it('is accepted if a double holds it exactly; an integer that would be rounded is rejected', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (integer) => {
        // Exactly, or with the digits that JavaScript prints for the double.
        const fits = BigInt(Number(integer)) === integer || `${Number(integer)}` === `${integer}`;
        expect(isRepresentableInteger(`${integer}`)).toBe(fits);
        for (const json of [
          `{"a":${integer}}`,
          `{"a":[{"b":[1,\t${integer}\n]}]}`,
          `{"a":"x\\"","b":${integer},"c":1}`,
        ]) {
          if (fits) expect(parseStorableJson(json)).toEqual(JSON.parse(json));
          else expect(() => parseStorableJson(json)).toThrow(TOO_MANY_DIGITS);
        }
        const json = `{"${integer}":"${integer}","b":"\\"${integer}","c":${integer}.5,"d":${integer}e0,"e":-1.${`${integer}`.replace('-', '')}}`;
        expect(parseStorableJson(json)).toEqual(JSON.parse(json));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['9007199254740993', '-9007199254740993', '12345678901234567890', '1'.repeat(400)])(
    '%s is rejected',
    (text) => {
      expect(() => parseStorableJson(`{"a":${text}}`)).toThrow(TOO_MANY_DIGITS);
    },
  );

  it.each([
    '9007199254740992',
    '9007199254740991',
    '1152921504606846976',
    '1152921504606847000',
    '1e30',
    '12345678901234567890.5',
    '1E+20',
  ])('%s is accepted', (text) => {
    expect(parseStorableJson(`{"a":${text}}`)).toEqual({ a: Number(text) });
  });

  it('is checked in linear time', () => {
    for (const part of ['9007199254740992,', '"\\"9007199254740993",', '1.9007199254740993e1,']) {
      const json = `{"a":[${part.repeat(60_000)}1]}`;
      const started = performance.now();
      parseStorableJson(json);
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });
});

describe('exactNumber', () => {
  it.each([
    ['30', 30],
    ['30.0', 30],
    ['3e1', 30],
    ['0.30E2', 30],
    ['-0', -0],
    ['0.10', 0.1],
    ['1e21', 1e21],
    ['1000000000000000000000', 1e21],
    ['9007199254740992', 9007199254740992],
    ['39172204234649130', 39172204234649130],
  ])('parses %s as %d', (text, number) => expect(exactNumber(text)).toBe(number));

  it.each(['', ' 30', '030', '+30', '30.', '.5', '0x1e', '1e', 'Infinity', 'NaN', '1e999', '1_0', '٣'])(
    'rejects %j',
    (text) => expect(exactNumber(text)).toBeUndefined(),
  );

  it.each(['9007199254740993', '9007199254740993.0', '9007199254740993e0', '0.1000000000000000055511151231257827'])(
    'rejects %s, which would be rounded',
    (text) => expect(exactNumber(text)).toBeUndefined(),
  );

  it('parses every number that JavaScript prints', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        const number = double === 0 ? 0 : double;
        expect(exactNumber(`${number}`)).toBe(number);
        expect(exactNumber(number.toExponential())).toBe(number);
      }),
      { numRuns: 2_000 },
    );
  });
});
