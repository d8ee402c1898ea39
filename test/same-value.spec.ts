import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeParameters, nestParameters } from '../src/server/nested-parameters.js';
import { isSameValue, withShownTypes } from '../src/api/resources/same-value.js';
import { encodeForm, formStyles } from './support/forms.js';

/** Values of records. A form cannot represent a key that is empty or has brackets. */
const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }).filter((one) => !/[[\]]|^__proto__$/.test(one));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

describe('a value that is sent back', () => {
  it('equals its representation in a form of any style, and keeps its types', () => {
    fc.assert(
      fc.property(
        fc.dictionary(key, value, { noNullPrototype: true }),
        fc.constantFrom(...formStyles),
        (shown, style) => {
          const record = { metadata: shown };
          const form = nestParameters(decodeParameters(encodeForm(record, style)), { repeated: 'last' });
          expect(isSameValue(record, form)).toBe(true);
          expect(withShownTypes(record, form)).toBe(record);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [
      ['', ' ', null],
      ['', ' '],
    ],
    [[null, 1, null], ['1']],
  ])('is the same if a form leaves out nulls of a list: %j, %j', (shown, given) => {
    expect(isSameValue(shown, given)).toBe(true);
  });

  it.each([
    [5, '6'],
    [5, '5x'],
    [5, '05'],
    [5, ' 5'],
    [5, true],
    [9007199254740992, '9007199254740993'],
    [true, '0'],
    [true, 'truest'],
    ['5', ''],
    ['a', 'A'],
    ['a', ['a']],
    ['a', { toString: 'a' }],
    [null, 'null'],
    [null, '0'],
    [[1, 2], ['1']],
    [
      [1, 2],
      ['2', '1'],
    ],
    [{ a: 1 }, { a: '1', b: '2' }],
    [{ a: 1, b: 2 }, { a: '1' }],
    [{ a: 1 }, 'a'],
    [{ a: 1 }, null],
    ['2026-11-25T10:46:28.001Z', '2026-11-25T10:46:28Z'],
  ])('%j is not %j', (shown, given) => {
    expect(isSameValue(shown, given)).toBe(false);
  });

  it.each([
    [true, 'True'],
    [1.5, '1.50'],
    [1e21, '1e21'],
    ['2026-11-25T10:46:28.001Z', '2026-11-25T10:46:28.001000+00:00'],
    ['2442', 2442],
    [{}, []],
  ])('%j is %j', (shown, given) => {
    expect(isSameValue(shown, given)).toBe(true);
  });
});

describe('a form', () => {
  it('changes only values that differ', () => {
    const shown = { n: 5, deep: { yes: true, none: {}, list: [1, 2] } };
    expect(withShownTypes(shown, { n: '6', deep: { yes: 'true', list: ['1', '2'], more: '7' } })).toEqual({
      n: '6',
      deep: { yes: true, list: [1, 2], more: '7' },
    });
  });
});
