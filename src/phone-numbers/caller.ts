import { toMsisdn } from './msisdn.js';

/** The longest text that is kept in place of a caller's number. */
const LONGEST_SHOWN = 255;

/** Who calls in. */
export interface Caller {
  /** The caller's number as E.164; undefined when it is not known: hidden, a carrier's placeholder, or no phone number at all. */
  msisdn?: string;
  /** The number, or what the provider says in its place: `Anonymous`, `client:alice`, an empty text. */
  shown: string;
}

/** Reads the `From` of an inbound call. A SIP address that holds a full number is that number. */
export function callerOf(from: unknown): Caller {
  const text = typeof from === 'string' ? from.trim() : '';
  const user = /^sips?:([^@;?]*)/i.exec(text)?.[1];
  const msisdn = user === undefined ? toMsisdn(text) : user.startsWith('+') ? toMsisdn(user) : undefined;
  return { msisdn, shown: msisdn ?? text.slice(0, LONGEST_SHOWN) };
}
