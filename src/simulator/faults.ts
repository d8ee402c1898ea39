import { type CallbackFault, type CreateFault, draw } from './outcomes.js';

type Shares<Name extends string> = Partial<Record<Name, number>>;

/** What goes wrong, on request: shares from 0 to 1 of the requests for a call, and of the callbacks. */
export interface Faults {
  create: Shares<CreateFault>;
  callbacks: Shares<CallbackFault>;
  /** Every request for a call is refused with this code of Twilio's. */
  account: number | null;
  /** Simulated seconds for which calls that are taken from now on are queued before they ring. */
  queue_seconds: number;
}

export const NO_FAULTS: Faults = { create: {}, callbacks: {}, account: null, queue_seconds: 0 };

/** Twilio cancels what was queued for a day. Source: https://support.twilio.com/hc/en-us/articles/223180028 */
const LONGEST_QUEUE = 86_400;

const share = { type: 'number', minimum: 0, maximum: 1 };
const shares = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, share])),
  additionalProperties: false,
  default: {},
});

/** The JSON schema of {@link Faults} as they are asked for; what is left out does not go wrong. */
export const faultsSchema = {
  type: 'object',
  properties: {
    create: shares('429', '500_before', '500_after', 'hang_before', 'hang_after'),
    callbacks: shares('lost', 'doubled', 'late', 'reordered'),
    // All of Twilio's codes have five digits or six.
    account: { type: ['integer', 'null'], minimum: 10_000, maximum: 999_999, default: null },
    queue_seconds: { type: 'number', minimum: 0, maximum: LONGEST_QUEUE, default: 0 },
  },
  additionalProperties: false,
};

/** The fault, if any, that strikes where these words draw the lot. */
export function struck<Name extends string>(shares: Shares<Name>, ...words: (string | number)[]): Name | undefined {
  let lot = draw(...words);
  for (const [name, share] of Object.entries<number | undefined>(shares)) {
    if (lot < (share ?? 0)) return name as Name;
    lot -= share ?? 0;
  }
  return undefined;
}
