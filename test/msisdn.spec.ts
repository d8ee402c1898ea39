import { describe, expect, it } from 'vitest';
import { toMsisdn } from '../src/phone-numbers/msisdn.js';

describe('toMsisdn', () => {
  it.each([
    ['+85510202101'],
    ['85510202101'],
    [' 85510202101'],
    ['855 10 202 101'],
    ['+855-10-202-101'],
    ['+855 (10) 202 101'],
    ['0085510202101'],
    [85510202101],
  ])('reads %j as E.164', (spelling) => {
    expect(toMsisdn(spelling)).toBe('+85510202101');
  });

  it.each([
    ['', 'nothing'],
    ['abc', 'no digits'],
    ['+855', 'a country without a number'],
    ['+85510', 'too short to be possible'],
    ['+8551020210111111', 'too long to be possible'],
    ['10202101', 'no country code that there is'],
    ['+85510202101 ext. 5', 'an extension, which cannot be dialled'],
    ['+85510202101;ext=5', 'an extension'],
    ['call +85510202101 now', 'a number among other words'],
    ['+85510202101, +85510202102', 'two numbers'],
    ['+999 1234567', 'a country that there is not'],
    [1.5, 'no whole number'],
    [-85510202101, 'a negative number'],
    [true, 'no text'],
    [['+85510202101'], 'a list'],
    [{ number: '+85510202101' }, 'an object'],
    [null, 'null'],
  ] as [unknown, string][])('refuses %j: %s', (spelling) => {
    expect(toMsisdn(spelling)).toBeUndefined();
  });
});
