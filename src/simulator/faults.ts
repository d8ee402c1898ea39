import { type CallbackFault, type CreateFault, draw } from './outcomes.js';

type Shares<Name extends string> = Partial<Record<Name, number>>;

/** What goes wrong, on request: shares from 0 to 1 of the requests for a call, and of the callbacks. */
export interface Faults {
  create: Shares<CreateFault>;
  callbacks: Shares<CallbackFault>;
  /** Every request for a call is refused with this code of Twilio's. */
  account: number | null;
}

export const NO_FAULTS: Faults = { create: {}, callbacks: {}, account: null };

const CREATE = ['429', '500_before', '500_after', 'hang_before', 'hang_after'];
const CALLBACKS = ['lost', 'doubled', 'late', 'reordered'];

/** The fault, if any, that strikes where these words draw the lot. */
export function struck<Name extends string>(shares: Shares<Name>, ...words: (string | number)[]): Name | undefined {
  let lot = draw(...words);
  for (const [name, share] of Object.entries<number | undefined>(shares)) {
    if (lot < (share ?? 0)) return name as Name;
    lot -= share ?? 0;
  }
  return undefined;
}

/** The faults that a request describes, or what is wrong with it. */
export function readFaults(body: unknown): Faults | string {
  const { create = {}, callbacks = {}, account = null, ...others } = Object(body) as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown) return `${unknown} is not a fault`;
  if (account !== null && ![20003, 10004, 22005].includes(Number(account)))
    return 'account must be 20003, 10004 or 22005';
  for (const [shares, names] of [
    [create, CREATE],
    [callbacks, CALLBACKS],
  ] as const) {
    for (const [name, share] of Object.entries(Object(shares) as object)) {
      if (!names.includes(name)) return `${name} is not a fault`;
      if (typeof share !== 'number' || !(share >= 0 && share <= 1)) return `${name} must be a share from 0 to 1`;
    }
  }
  return {
    create: create as Faults['create'],
    callbacks: callbacks as Faults['callbacks'],
    account: account as number | null,
  };
}
