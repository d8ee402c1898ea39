import { type RetryableResult, retryableResults } from '../dial-plans/dial-plan.js';
import { JITTER, type RetryPlan, pauseAfter } from '../dial-plans/retry-schedule.js';
import type { CallStatistics } from './call-statistics.js';

/** People who are called again after the same time. */
interface FollowUp {
  /** The time from a dial to the next one (s). */
  after: number;
  /** Their share of the people who were dialed (0 to 1). */
  share: number;
}

/** Who is called again after the first, second, … attempt. An attempt without an entry is not followed by another. */
export type FollowUps = readonly (readonly FollowUp[])[];

/**
 * How long after its time an attempt is dialed on average (s): the callout runner looks twice a second, and the dial
 * queue four times.
 */
export const DIAL_DELAY = 0.5;

/** The parts of the range over which a pause varies, as deviations from its mean. */
const VARIATIONS = [-2 / 3, 0, 2 / 3].map((part) => 1 + part * JITTER);

/** Times that differ by less than this ratio count as one. */
const SIMILAR = 1.03;

/** The most times after one attempt. */
const MAX_TIMES = 8;

/** Histories of a smaller share of the people do not count. */
const NOBODY = 1e-5;

/** What the attempts so far came to: how often each result, in the order of `retryableResults`. */
interface History {
  counts: number[];
  /** The share of people with this history. */
  share: number;
}

/**
 * Computes who is called again, and when, if all people behave as the statistics say. What a person's attempts came to
 * so far decides, so the shares of all histories are computed, attempt by attempt.
 */
export function followUpsOf(plan: RetryPlan, statistics: CallStatistics): FollowUps {
  const followUps: FollowUp[][] = [];
  let histories: History[] = [{ counts: retryableResults.map(() => 0), share: 1 }];
  for (let attempt = 1; attempt < plan.maxAttempts && histories.length > 0; attempt++) {
    const dialed = histories.reduce((sum, { share }) => sum + share, 0);
    const found: FollowUp[] = [];
    const next = new Map<string, History>();
    for (const history of histories) {
      for (const [index, result] of retryableResults.entries()) {
        const share = history.share * shareToPursue(plan, statistics, result);
        const pause = share > NOBODY ? pauseAfter(plan, resultsOf(history.counts, result)) : undefined;
        if (pause === undefined) continue;
        const { seconds } = statistics.results[result];
        for (const variation of VARIATIONS) {
          const after = seconds + pause * variation + DIAL_DELAY;
          found.push({ after, share: share / VARIATIONS.length / dialed });
        }
        const counts = history.counts.with(index, history.counts[index]! + 1);
        const same = next.get(counts.join());
        if (same) same.share += share;
        else next.set(counts.join(), { counts, share });
      }
    }
    if (found.length === 0) break;
    followUps.push(joinSimilar(found));
    histories = [...next.values()];
  }
  return followUps;
}

/**
 * @param attempts how many attempts were made
 * @returns how many more follow on average
 */
export function callsToCome(followUps: FollowUps, attempts: number): number {
  const shares = followUps.map((some) => some.reduce((sum, { share }) => sum + share, 0));
  return shares.slice(Math.max(0, attempts - 1)).reduceRight((sum, share) => share * (1 + sum), 0);
}

/** @returns the share of calls with this result after which the person is still to be reached */
function shareToPursue(plan: RetryPlan, { results, confirmRate }: CallStatistics, result: RetryableResult): number {
  const { share } = results[result];
  return result === 'answered' && plan.until === 'confirmed' ? share * (1 - confirmRate) : share;
}

function resultsOf(counts: readonly number[], last: RetryableResult): RetryableResult[] {
  const earlier = retryableResults.flatMap((result, index) => Array.from({ length: counts[index]! }, () => result));
  return [...earlier, last];
}

/** @returns the same follow-ups, with one time after each attempt: the mean */
export function withMeanTimes(followUps: FollowUps): FollowUps {
  return followUps.map((some) => joinSimilar(some, 1));
}

/** Joins similar times, so that there are few. */
function joinSimilar(followUps: readonly FollowUp[], most = MAX_TIMES): FollowUp[] {
  const sorted = followUps.toSorted((one, other) => one.after - other.after);
  let joined = joinWithin(sorted, SIMILAR);
  for (let ratio = SIMILAR; joined.length > most; ratio *= 1.2) joined = joinWithin(sorted, ratio);
  return joined;
}

/** @param ratio times that differ by less than it count as one */
function joinWithin(followUps: readonly FollowUp[], ratio: number): FollowUp[] {
  const joined: FollowUp[] = [];
  let shortest = 0;
  for (const { after, share } of followUps) {
    const last = joined.at(-1);
    if (last && after <= shortest * ratio) {
      const sum = last.share + share;
      last.after = (last.after * last.share + after * share) / sum;
      last.share = sum;
    } else {
      joined.push({ after, share });
      shortest = after;
    }
  }
  return joined;
}
