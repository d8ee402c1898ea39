import { toMsisdn } from './msisdn.js';

/** The user of a SIP address (RFC 3261, section 19.1), without its parameters and password. */
const SIP_ADDRESS = /^(?:[^<>]*<)?sips?:([^@:;<>]+)(?:[:;][^@<>]*)?@[^@<>]+(?:>.*)?$/i;

/** Longer addresses are not read: the provider's own limit is far below. */
const MAX_LENGTH = 1_000;

/**
 * The number of a caller, as a provider reports it. A SIP address that holds a full number, `sip:+85512345678@sip.example.org`, is that
 * number. For what people write about a contact, {@link toMsisdn} is right: there a SIP address is no phone number.
 *
 * @param from the provider's `From`
 * @returns undefined for a caller without a number: `Anonymous`, a short code, a carrier's placeholder, `client:alice`
 */
export function callerMsisdn(from: unknown): string | undefined {
  const user = typeof from === 'string' && from.length <= MAX_LENGTH ? SIP_ADDRESS.exec(from)?.[1] : undefined;
  return toMsisdn(user?.replace(/^%2B/i, '+') ?? from);
}
