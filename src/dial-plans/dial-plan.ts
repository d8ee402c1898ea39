import { exactNumber } from '../metadata/json-number.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { type CallWindow, type CallWindows, readCallWindows } from './call-windows.js';

/** The results of an attempt after which a plan may call again. */
export const retryableResults = ['busy', 'not_answered', 'machine', 'failed', 'answered'] as const;
export type RetryableResult = (typeof retryableResults)[number];

/** What ends the attempts to reach a person: that somebody answers, or that the person confirms. */
export const goals = ['answered', 'confirmed'] as const;
type Goal = (typeof goals)[number];

/** How often, and after which pauses, a person is called again after one kind of result. */
interface Retry {
  /** The most retries after this result. */
  max: number;
  /** The pauses before the first, second, … retry after this result (s). The last one repeats. */
  after: readonly number[];
}

type Retries = Readonly<Partial<Record<RetryableResult, Retry>>>;

/** A valid dial plan as it is stored: what the client sent, with numbers for texts and without blanks. */
export interface StoredDialPlan {
  remote_request_params: Metadata;
  until?: Goal;
  max_attempts?: number;
  /** `after` may be missing where `max` is 0. */
  retries?: Partial<Record<RetryableResult, { max: number; after?: number[] }>>;
  call_windows?: CallWindow[];
  time_zone?: string;
  time_zone_key?: string;
  max_calls_in_flight?: number;
  calls_per_second?: number;
}

/** A dial plan with all defaults. */
export interface DialPlan {
  /** The parameters of the request for each call. */
  remoteRequestParams: Metadata;
  until: Goal;
  /** The most attempts to reach one person, over all results, including the first one. */
  maxAttempts: number;
  /** The results that are retried. A result without a key is not retried. */
  retries: Retries;
  callWindows: CallWindows;
  /** The IANA name of the time zone of people who have none of their own. */
  timeZone: string;
  /** The key of a contact's metadata that has the contact's own time zone. */
  timeZoneKey?: string;
  /** How long a phone rings that nobody answers (s). */
  ringSeconds: number;
  /** The most calls of the callout that are in progress at the same time. Undefined: no limit of its own. */
  maxCallsInFlight?: number;
  /** The most calls of the callout in a second. Undefined: no limit of its own. */
  callsPerSecond?: number;
}

const DEFAULT_MAX_ATTEMPTS = 3;

const DEFAULT_RETRIES: Retries = {
  busy: { max: 3, after: [120, 300] },
  not_answered: { max: 2, after: [900] },
  machine: { max: 2, after: [1_800] },
  failed: { max: 1, after: [900] },
  answered: { max: 2, after: [1_800] },
};

/** How long before it is dialed a call is reserved at most (s). Its window must not close before it has rung. */
export const RESERVED_AHEAD_SECONDS = 3;

/** How long a phone rings without a `timeout` (s). Source: Twilio's create-call request. */
const DEFAULT_RING_SECONDS = 60;

/**
 * Reads a stored dial plan.
 *
 * @param stored a valid plan
 * @param settings the settings of the installation, which are defaults of the plan
 */
export function readDialPlan(stored: Metadata, settings: { timeZone: string }): DialPlan {
  const plan = stored as unknown as StoredDialPlan;
  return {
    remoteRequestParams: plan.remote_request_params,
    until: plan.until ?? 'answered',
    maxAttempts: plan.max_attempts ?? DEFAULT_MAX_ATTEMPTS,
    retries: plan.retries ? readRetries(plan.retries) : DEFAULT_RETRIES,
    callWindows: readCallWindows(plan.call_windows ?? []),
    timeZone: plan.time_zone ?? settings.timeZone,
    timeZoneKey: plan.time_zone_key,
    ringSeconds: readRingSeconds(plan.remote_request_params),
    maxCallsInFlight: plan.max_calls_in_flight,
    callsPerSecond: plan.calls_per_second,
  };
}

/** @returns how long a call with these parameters rings if nobody answers (s) */
export function readRingSeconds(remoteRequestParams: Metadata): number {
  const timeout = exactNumber(textOf(remoteRequestParams.timeout)?.trim() ?? '');
  return timeout !== undefined && timeout > 0 ? timeout : DEFAULT_RING_SECONDS;
}

function readRetries(stored: NonNullable<StoredDialPlan['retries']>): Retries {
  const entries = Object.entries(stored).map(([result, { max, after = [] }]) => [result, { max, after }]);
  return Object.fromEntries(entries) as Retries;
}
