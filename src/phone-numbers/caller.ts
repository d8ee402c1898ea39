import { toMsisdn } from './msisdn.js';

/** The user of a SIP address (RFC 3261, section 19.1), without its parameters and password. */
const SIP_ADDRESS = /^(?:[^<>]*<)?sips?:([^@:;<>]+)(?:[:;][^@<>]*)?@[^@<>]+(?:>.*)?$/i;

/** Longer addresses are not parsed. The provider's own limit is far below. */
const MAX_ADDRESS_LENGTH = 1_000;

/** The longest label that is kept. */
const MAX_LABEL_LENGTH = 255;

/** The caller of an inbound call. */
export interface Caller {
  /** The caller's number in E.164; undefined if it is hidden, a carrier's placeholder, or no phone number. */
  msisdn?: string;
  /** The number, or what the provider gives instead: `Anonymous`, `client:alice`, an empty text. */
  label: string;
}

/**
 * Parses the `From` of an inbound call. A SIP address with a full number, `sip:+85512345678@sip.example.org`, stands
 * for that number. For a contact's number use {@link toMsisdn}, which rejects SIP addresses.
 */
export function parseCaller(from: unknown): Caller {
  const text = typeof from === 'string' ? from.trim() : '';
  const user = text.length <= MAX_ADDRESS_LENGTH ? SIP_ADDRESS.exec(text)?.[1] : undefined;
  const msisdn = toMsisdn(user?.replace(/^%2B/i, '+') ?? text);
  return { msisdn, label: msisdn ?? text.slice(0, MAX_LABEL_LENGTH) };
}
