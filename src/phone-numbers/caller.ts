import { toMsisdn } from './msisdn.js';

/** The user of a SIP address (RFC 3261, section 19.1), without its parameters and password. */
const SIP_ADDRESS = /^(?:[^<>]*<)?sips?:([^@:;<>]+)(?:[:;][^@<>]*)?@[^@<>]+(?:>.*)?$/i;

/** Longer addresses are not read: the provider's own limit is far below. */
const MAX_LENGTH = 1_000;

/** The longest text that is kept in place of a caller's number. */
const LONGEST_SHOWN = 255;

/** Who calls in. */
export interface Caller {
  /** The caller's number as E.164; undefined when it is not known: hidden, a carrier's placeholder, or no phone number at all. */
  msisdn?: string;
  /** The number, or what the provider says in its place: `Anonymous`, `client:alice`, an empty text. */
  shown: string;
}

/**
 * Reads the `From` of an inbound call. A SIP address that holds a full number, `sip:+85512345678@sip.example.org`, is that number. For what
 * people write about a contact, {@link toMsisdn} is right: there a SIP address is no phone number.
 */
export function callerOf(from: unknown): Caller {
  const text = typeof from === 'string' ? from.trim() : '';
  const user = text.length <= MAX_LENGTH ? SIP_ADDRESS.exec(text)?.[1] : undefined;
  const msisdn = toMsisdn(user?.replace(/^%2B/i, '+') ?? text);
  return { msisdn, shown: msisdn ?? text.slice(0, LONGEST_SHOWN) };
}
