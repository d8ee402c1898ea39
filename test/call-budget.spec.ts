import { array, assert, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallLimit, readCallLimits } from '../src/config/call-limits.js';
import { nextCallAt } from '../src/dial-plans/call-budget.js';

const now = new Date('2026-06-05T12:00Z');

/** When the next call may happen, in seconds after `now`. */
function secondsUntilNext(limits: string, ...dialedSecondsAgo: number[]): number {
  const dials = dialedSecondsAgo.map((seconds) => new Date(now.getTime() - seconds * 1_000));
  return (nextCallAt(readCallLimits(limits), dials, now).getTime() - now.getTime()) / 1_000;
}

describe('the budget of a number', () => {
  it('permits a call at once while there are fewer', () => {
    expect(secondsUntilNext('3/15m')).toBe(0);
    expect(secondsUntilNext('3/15m', 10, 20)).toBe(0);
    expect(secondsUntilNext('3/15m', 10, 20, 900)).toBe(0);
    expect(nextCallAt([], [now, now, now], now)).toEqual(now);
  });

  it('permits the next call when the oldest one is as old as the limit is long', () => {
    expect(secondsUntilNext('3/15m', 10, 20, 899)).toBe(1);
    expect(secondsUntilNext('3/15m', 899, 10, 20)).toBe(1);
    expect(secondsUntilNext('1/1d', 0)).toBe(86_400);
  });

  it('waits for the longest of several limits', () => {
    expect(secondsUntilNext('3/15m,4/1h', 10, 20, 600, 3_000)).toBe(600);
    expect(secondsUntilNext('3/15m,4/1h', 10, 20, 600)).toBe(300);
    expect(secondsUntilNext('3/15m,4/1h', 1_000, 1_001, 1_002, 3_000)).toBe(600);
  });

  it('waits for more calls than permitted, which were made under another limit', () => {
    expect(secondsUntilNext('2/1m', 10, 20, 30, 40)).toBe(40);
  });

  it('counts a dial in the future up to the length of a limit', () => {
    expect(secondsUntilNext('1/1m', -59)).toBe(119);
    expect(secondsUntilNext('1/1m', -60)).toBe(0);
    expect(secondsUntilNext('1/1m', -1e9)).toBe(0);
  });

  it('is what a search second by second finds', () => {
    const limits = array(record({ calls: integer({ min: 1, max: 4 }), seconds: integer({ min: 1, max: 60 }) }), {
      maxLength: 3,
    });
    const ages = array(integer({ min: 0, max: 80 }), { maxLength: 12 });
    assert(
      property(limits, ages, (given, seconds) => {
        const dials = seconds.map((age) => now.getTime() - age * 1_000);
        const permits = (at: number): boolean =>
          given.every(
            (limit) => dials.filter((dial) => dial > at - limit.seconds * 1_000 && dial <= at).length < limit.calls,
          );
        let expected = now.getTime();
        while (!permits(expected)) expected += 1_000;
        const next = nextCallAt(
          given,
          dials.map((dial) => new Date(dial)),
          now,
        );
        expect(next).toEqual(new Date(expected));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('readCallLimits', () => {
  it.each<[string | undefined, CallLimit[]]>([
    [undefined, []],
    ['3/15m', [{ calls: 3, seconds: 900 }]],
    [
      '3/15m,7/1h,15/1d',
      [
        { calls: 3, seconds: 900 },
        { calls: 7, seconds: 3_600 },
        { calls: 15, seconds: 86_400 },
      ],
    ],
    [
      ' 1 / 30s , 1000/31d ',
      [
        { calls: 1, seconds: 30 },
        { calls: 1_000, seconds: 2_678_400 },
      ],
    ],
  ])('reads %j', (value, limits) => {
    expect(readCallLimits(value)).toEqual(limits);
  });

  it.each([
    '3',
    '3/15',
    '3/m',
    '/15m',
    '0/15m',
    '3/0m',
    '-1/1m',
    '1.5/1m',
    '3/15m,',
    '3/15M',
    '3/1w',
    '1001/1d',
    '1/32d',
  ])('refuses %j', (value) => {
    expect(() => readCallLimits(value)).toThrow(/^MAX_CALLS_PER_NUMBER must be a list of limits.*such as 3\/15m/);
  });
});
