import { hashToUnit } from '../random/hash-to-unit.js';

/**
 * A fault of one request to create or end a call. `refused` is Twilio's error 21211, an invalid number, and concerns
 * only requests to create one. `before` and `after` say whether the call is created or ended anyway. A `hang` never
 * gets a response.
 */
export type RequestFault = 'refused' | '429' | '500_before' | '500_after' | 'hang_before' | 'hang_after';

/** A fault of a status callback. */
export type CallbackFault = 'lost' | 'doubled' | 'late' | 'reordered';

/** The probability of each fault, from 0 to 1; together at most 1. */
type Shares<Name extends string> = Partial<Record<Name, number>>;

/** The faults that are switched on. */
export interface Faults {
  /** Of requests to create a call, and of those to end one. */
  create: Shares<RequestFault>;
  callbacks: Shares<CallbackFault>;
  /** If set, every request to create or end a call fails with this error code of Twilio's. */
  account: number | null;
  /** How long new calls stay queued before they ring (simulated seconds). */
  queue_seconds: number;
}

export const NO_FAULTS: Faults = { create: {}, callbacks: {}, account: null, queue_seconds: 0 };

/**
 * Seconds. Twilio cancels a call that was queued for a day. Source:
 * https://support.twilio.com/hc/en-us/articles/223180028
 */
const MAX_QUEUE_SECONDS = 86_400;

const share = { type: 'number', minimum: 0, maximum: 1 };
const shares = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, share])),
  additionalProperties: false,
  default: {},
});

/** The JSON schema of {@link Faults} in a request. Absent keys mean no such fault. */
export const faultsSchema = {
  type: 'object',
  properties: {
    create: shares('429', '500_before', '500_after', 'hang_before', 'hang_after'),
    callbacks: shares('lost', 'doubled', 'late', 'reordered'),
    // All of Twilio's codes have five or six digits.
    account: { type: ['integer', 'null'], minimum: 10_000, maximum: 999_999, default: null },
    queue_seconds: { type: 'number', minimum: 0, maximum: MAX_QUEUE_SECONDS, default: 0 },
  },
  additionalProperties: false,
};

/**
 * Picks a fault by its share.
 * @param parts identify the event: the same parts always pick the same fault
 * @returns undefined if no fault was picked
 */
export function pickFault<Name extends string>(shares: Shares<Name>, ...parts: (string | number)[]): Name | undefined {
  let rest = hashToUnit(...parts);
  for (const [name, share] of Object.entries<number | undefined>(shares)) {
    if (rest < (share ?? 0)) return name as Name;
    rest -= share ?? 0;
  }
  return undefined;
}
