import { describe, expect, it } from 'vitest';
import {
  FALSE_WORDS,
  TRUE_WORDS,
  WHITE_SPACE,
  booleanOf,
  textOf,
  withoutBlanks,
} from '../src/metadata/client-values.js';

/** Values whose conversion to text would run their own code, or throw. */
const hostile = [
  { toString: 'x' },
  { toString: null, valueOf: null },
  { toString: () => 'true' },
  Object.create(null),
  [['true']],
  Symbol('true'),
];

describe('booleanOf', () => {
  it.each(['true', 'TRUE', '1', 't', 'T', 'yes', 'Yes', 'on', ' on ', true, 1])('parses %j as true', (value) => {
    expect(booleanOf(value)).toBe(true);
  });

  it.each(['false', 'False', '0', 'f', 'no', 'NO', 'off', false, 0])('parses %j as false', (value) => {
    expect(booleanOf(value)).toBe(false);
  });

  it.each([null, undefined, '', 'truth', 'y', 'n', '2', 2, -1, [], ['true'], {}, ...hostile])('rejects %o', (value) => {
    expect(booleanOf(value)).toBeUndefined();
  });

  it('has words in lower case only, as the database compares them', () => {
    for (const word of [...TRUE_WORDS, ...FALSE_WORDS]) expect(word).toBe(word.toLowerCase());
  });

  it('trims the same characters as the database', () => {
    const trimmed = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter(
      (one) => !one.trim(),
    );
    expect(WHITE_SPACE.split('').sort()).toEqual(trimmed.sort());
  });
});

describe('textOf', () => {
  it.each([
    ['a', 'a'],
    [1.5, '1.5'],
    [false, 'false'],
  ])('converts %j to %j', (value, text) => expect(textOf(value)).toBe(text));

  it.each([null, undefined, ...hostile])('rejects %o', (value) => expect(textOf(value)).toBeUndefined());
});

it('withoutBlanks removes blank values and blank items', () => {
  const given = { a: '', b: ' ', c: null, d: [], e: ['', null], f: 0, g: false, h: {}, i: ['x', ''], j: 'y' };
  expect(withoutBlanks(given)).toEqual({ f: 0, g: false, h: {}, i: ['x'], j: 'y' });
});
