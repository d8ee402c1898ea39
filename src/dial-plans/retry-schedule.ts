import { hashToUnit } from '../random/hash-to-unit.js';
import { type DialPlan, type RetryableResult, retryableResults } from './dial-plan.js';

/** How an attempt to reach a person ended. */
export type AttemptResult = RetryableResult | 'errored' | 'canceled' | 'uncertain';

/** How much a pause varies, so that people who were called together are not called together again. */
export const JITTER = 0.1;

/** The decisions of a plan about further attempts. */
export type RetryPlan = Pick<DialPlan, 'until' | 'maxAttempts' | 'retries'>;

/** The attempts to reach one person so far. */
export interface Attempts {
  /** Identifies the person, so that the same question always has the same answer. */
  participationId: number;
  /** The result of each dialed attempt, in their order. */
  results: readonly AttemptResult[];
  /** The end of the last attempt. */
  endedAt: Date;
}

/**
 * Decides when a person is called again.
 *
 * @returns the end of the last attempt plus its pause, which varies by 10 %; undefined: not at all
 */
export function nextAttemptAt(plan: RetryPlan, { participationId, results, endedAt }: Attempts): Date | undefined {
  const pause = pauseAfter(plan, results);
  if (pause === undefined) return undefined;
  const jitter = 1 + JITTER * (2 * hashToUnit(participationId, results.length + 1) - 1);
  return new Date(endedAt.getTime() + Math.round(pause * jitter * 1_000));
}

/**
 * @param results the result of each dialed attempt, in their order
 * @returns the pause before the next attempt, without its variation (s); undefined: there is no next attempt
 */
export function pauseAfter(plan: RetryPlan, results: readonly AttemptResult[]): number | undefined {
  const last = results.at(-1);
  if (!isRetryable(last) || results.length >= plan.maxAttempts) return undefined;
  if (plan.until === 'answered' && results.includes('answered')) return undefined;
  const { max, after } = plan.retries[last] ?? { max: 0, after: [] };
  const retry = results.filter((result) => result === last).length;
  if (retry > max) return undefined;
  return after[Math.min(retry, after.length) - 1]!;
}

/** @returns the longest pause before a retry of a plan, at its most (s) */
export function longestPause({ retries }: Pick<DialPlan, 'retries'>): number {
  return (1 + JITTER) * Math.max(0, ...Object.values(retries).flatMap(({ after }) => after));
}

function isRetryable(result: AttemptResult | undefined): result is RetryableResult {
  return retryableResults.some((one) => one === result);
}
