import { ConfigError } from '../errors/config-error.js';

/** At most `calls` calls to one number in any `seconds` seconds. */
export interface CallLimit {
  calls: number;
  seconds: number;
}

const MAX_CALLS = 1_000;
const MAX_DAYS = 31;

/** The units of a time, in seconds. */
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/**
 * Reads `MAX_CALLS_PER_NUMBER`, such as `3/15m,7/1h,15/1d`.
 *
 * @param value undefined: there are no limits
 * @throws ConfigError when an entry is not a limit
 */
export function readCallLimits(value: string | undefined): CallLimit[] {
  if (value === undefined) return [];
  return value.split(',').map((entry) => {
    const limit = parseLimit(entry.trim());
    if (limit) return limit;
    throw new ConfigError(
      'MAX_CALLS_PER_NUMBER must be a list of limits, separated by commas, such as 3/15m,7/1h,15/1d: ' +
        `up to ${MAX_CALLS} calls in a number of seconds (s), minutes (m), hours (h) or days (d), up to ${MAX_DAYS}d.`,
    );
  });
}

function parseLimit(text: string): CallLimit | undefined {
  const [, calls, amount, unit] = /^(\d{1,9})\s*\/\s*(\d{1,9})\s*([a-z])$/.exec(text) ?? [];
  const limit = { calls: Number(calls), seconds: Number(amount) * (UNITS[unit ?? ''] ?? NaN) };
  const isValid = limit.calls >= 1 && limit.calls <= MAX_CALLS && limit.seconds >= 1;
  return isValid && limit.seconds <= MAX_DAYS * 86_400 ? limit : undefined;
}
