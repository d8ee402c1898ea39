import type { CallLimit } from '../config/call-limits.js';

/**
 * Decides when a number may be called again.
 *
 * A dial in the future was stored before the clock stepped back. It counts as if it were as long ago, so that a step
 * back delays a call by at most twice the length of a limit.
 *
 * @param limits each permits a number of calls in any interval of its length, which excludes its end
 * @param dials when the number was dialed, in any order
 * @returns `now`, or the first time at which all limits permit another call
 */
export function nextCallAt(limits: readonly CallLimit[], dials: readonly Date[], now: Date): Date {
  const times = limits.map(({ calls, seconds }) => {
    const length = seconds * 1_000;
    const counted = dials.map(Number).filter((dial) => Math.abs(now.getTime() - dial) < length);
    if (counted.length < calls) return now.getTime();
    return counted.toSorted((a, b) => b - a)[calls - 1]! + length;
  });
  return new Date(Math.max(now.getTime(), ...times));
}
