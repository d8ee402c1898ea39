import { type RetryableResult, readRingSeconds } from '../dial-plans/dial-plan.js';
import { isBlank } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';

/** What a call comes to. `other`: results that no plan retries. */
type ModeledResult = RetryableResult | 'other';

/** How calls end: what a forecast assumes of the calls to come. */
export interface CallStatistics {
  /** The share of each result (0 to 1), and how long such a call takes from the dial to its end (s). */
  results: Record<ModeledResult, { share: number; seconds: number }>;
  /** The share of answered calls in which the person confirms (0 to 1). */
  confirmRate: number;
  /** Where the shares come from, for people. */
  source: string;
}

/** Calls with the same result in a sample. */
export interface SampledCalls {
  /** Whether they are the latest calls of the callout itself, or of all callouts. */
  isOwn: boolean;
  /** The status with which they ended, or `answered` or `machine` instead of `completed`. */
  result: string;
  calls: number;
  /** How long they took on average from the dial to the end (s). */
  seconds: number;
  /** How many of them belong to plans that call until somebody confirms. */
  pursued: number;
  /** How many people confirmed in those. */
  confirmed: number;
}

/** The fewest calls that are believed. */
const MIN_CALLS = 50;

/** Without enough calls: what is usual for calls to mobile phones, without a plan that knows better. */
const DEFAULT_SHARES: Record<ModeledResult, number> = {
  answered: 0.6,
  machine: 0,
  busy: 0.1,
  not_answered: 0.25,
  failed: 0.05,
  other: 0,
};
const DEFAULT_CONFIRM_RATE = 0.8;
/** How long a person listens, and how long a call takes that is not connected (s). */
const DEFAULT_TALK = 30;
const DEFAULT_SETUP = 5;

/**
 * Chooses what is assumed of the calls to come: the latest calls of the callout, if there are enough; else the latest
 * calls of the installation; else a default. Without machine detection, a machine that answers counts as an answer.
 *
 * @param params the request parameters of the calls to come
 */
export function assumeStatistics(samples: readonly SampledCalls[], params: Metadata): CallStatistics {
  const own = samples.filter(({ isOwn }) => isOwn);
  const all = samples.filter(({ isOwn }) => !isOwn);
  const chosen = [own, all].find((calls) => countCalls(calls) >= MIN_CALLS);
  const shares = chosen ? sharesOf(chosen) : DEFAULT_SHARES;
  const defaults = defaultSeconds(readRingSeconds(params));
  const results = Object.fromEntries(
    Object.entries(shares).map(([result, share]) => {
      const measured = chosen?.filter((calls) => modeled(calls.result) === result) ?? [];
      return [result, { share, seconds: meanSeconds(measured) ?? defaults[result as ModeledResult] }];
    }),
  ) as CallStatistics['results'];
  if (isBlank(params.machine_detection)) countMachinesAsAnswers(results);
  const source = chosen ? `the last ${countCalls(chosen).toLocaleString('en-US')} calls` : 'a default';
  return {
    results,
    confirmRate: [own, all].map(confirmRateIn).find((rate) => rate !== undefined) ?? DEFAULT_CONFIRM_RATE,
    source: chosen === own ? `${source} of this callout` : source,
  };
}

/** @returns how long a call takes on average, from the dial to its end (s) */
export function meanCallSeconds({ results }: CallStatistics): number {
  return Object.values(results).reduce((sum, { share, seconds }) => sum + share * seconds, 0);
}

const countCalls = (calls: readonly SampledCalls[]): number => calls.reduce((sum, one) => sum + one.calls, 0);

function modeled(result: string): ModeledResult {
  return result in DEFAULT_SHARES ? (result as ModeledResult) : 'other';
}

function sharesOf(calls: readonly SampledCalls[]): Record<ModeledResult, number> {
  const shares = { ...DEFAULT_SHARES };
  for (const result of Object.keys(shares) as ModeledResult[]) {
    shares[result] = countCalls(calls.filter((one) => modeled(one.result) === result)) / countCalls(calls);
  }
  return shares;
}

function meanSeconds(calls: readonly SampledCalls[]): number | undefined {
  const count = countCalls(calls);
  return count > 0 ? calls.reduce((sum, one) => sum + one.calls * one.seconds, 0) / count : undefined;
}

/** @returns how long calls take if none was measured (s) */
function defaultSeconds(ring: number): Record<ModeledResult, number> {
  const answered = Math.min(ring, DEFAULT_SETUP * 2) + DEFAULT_TALK;
  return {
    answered,
    machine: answered,
    busy: DEFAULT_SETUP,
    not_answered: ring,
    failed: DEFAULT_SETUP,
    other: DEFAULT_SETUP,
  };
}

function countMachinesAsAnswers(results: CallStatistics['results']): void {
  const { answered, machine } = results;
  const share = answered.share + machine.share;
  const seconds =
    share > 0 ? (answered.share * answered.seconds + machine.share * machine.seconds) / share : answered.seconds;
  results.answered = { share, seconds };
  results.machine = { ...machine, share: 0 };
}

function confirmRateIn(calls: readonly SampledCalls[]): number | undefined {
  const pursued = calls.reduce((sum, one) => sum + (one.result === 'answered' ? one.pursued : 0), 0);
  const confirmed = calls.reduce((sum, one) => sum + (one.result === 'answered' ? one.confirmed : 0), 0);
  return pursued >= MIN_CALLS ? confirmed / pursued : undefined;
}
