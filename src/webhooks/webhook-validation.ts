import { answeredStep } from '../call-flows/webhook-url.js';
import { UnusableWebhookError } from '../errors/errors.js';
import { ownIdIn } from './webhook-calls.js';
import type { SignedWebhook } from './webhook.js';
import type { SignedPair } from './webhook-form.js';

// The provider signs the URL, then the names and values of a form in the order of the names, with nothing between them.
// Whoever has one signed webhook can move these borders (`CallStatus` + `ringing` to `CallStatusr` + `inging`), send a
// parameter twice, or move a part of the URL into the form, and the signature is still right.

/** The longest id that a provider gives anything. Twilio's have 34 characters, Somleng's 36. */
const LONGEST_ID = 64;

/**
 * Of a callback that says nothing of the call's status, one of these says what it is about: who answered, a recording,
 * a transcription, a conference, a queue, a stream. Source: https://www.twilio.com/docs/voice/api
 */
const OTHER_SUBJECTS = ['AnsweredBy', 'RecordingSid', 'TranscriptionSid', 'ConferenceSid', 'QueueSid', 'StreamSid'];

/** The parameters that decide what we do with a webhook. */
const USED = ['AnsweredBy', 'CallStatus', 'CallbackSource', 'Digits', 'Direction', 'SequenceNumber'];

/** The parameters that decide what we do with an inbound call, beside those. */
const USED_INBOUND = ['From', 'To'];

/** A number and letters, which belong to the next parameter's name: `+85512345678FromCity`. */
const NUMBER_AND_LETTERS = /^\+?\d+[a-z]/i;

/** The ends of longer names that begin with `From` and `To`. */
const NAME_ENDS = ['City', 'Country', 'State', 'Zip'];

/** Source: https://www.twilio.com/docs/voice/api/call-resource and https://www.twilio.com/docs/voice/twiml */
const HAS_SHAPE: Readonly<Record<string, (value: string) => boolean>> = {
  AnsweredBy: (value) => /^[a-z_]*$/.test(value),
  CallStatus: (value) => /^[a-z]+(-[a-z]+)*$/.test(value),
  Direction: (value) => /^(inbound|outbound(-api|-dial)?|trunking-(originating|terminating))$/.test(value),
  SequenceNumber: (value) => /^\d*$/.test(value),
  From: isAddress,
  To: isAddress,
};

/** Whether a value of `From` or `To` holds nothing of a name: neither `ToCity` nor `FromState` was cut after `To` or `From`. */
function isAddress(value: string): boolean {
  const isNameEnd = NAME_ENDS.some((end) => value !== '' && (value.startsWith(end) || end.startsWith(value)));
  return !isNameEnd && !NUMBER_AND_LETTERS.test(value);
}

/**
 * Refuses a signed webhook that we cannot act on, or that is not as its sender signed it.
 * @param query of the URL that the provider called
 * @returns the provider's id of the call
 * @throws UnusableWebhookError
 */
export function assertUsable({ details, signedPairs }: SignedWebhook, query: URLSearchParams): string {
  const { CallSid, CallStatus, Direction } = details;
  if (typeof CallSid !== 'string' || CallSid === '') throw new UnusableWebhookError("CallSid can't be blank");
  for (const [name, value] of Object.entries(details)) {
    const isTooLong = name.endsWith('Sid') && typeof value === 'string' && value.length > LONGEST_ID;
    if (isTooLong) throw new UnusableWebhookError(`${name} is longer than ${LONGEST_ID} characters`);
  }
  const hasStatus = typeof CallStatus === 'string' && CallStatus !== '';
  if (!hasStatus && !OTHER_SUBJECTS.some((name) => Object.hasOwn(details, name))) {
    throw new UnusableWebhookError("CallStatus can't be blank");
  }
  if (Direction === 'inbound' && !Object.hasOwn(details, 'From')) throw new UnusableWebhookError('From must be given');
  const used = Direction === 'inbound' ? [...USED, ...USED_INBOUND] : USED;
  for (const name of used) assertValid(name, details[name]);
  for (const name of used) {
    if (!Object.hasOwn(details, name) && isShifted(name, signedPairs)) {
      throw new UnusableWebhookError(`${name} must be given`);
    }
  }
  assertUrlIsWhole(query, signedPairs);
  return CallSid;
}

function assertValid(name: string, value: unknown): void {
  // A parameter that is sent twice with one value is signed once.
  if (Array.isArray(value)) throw new UnusableWebhookError(`${name} must be given once`);
  if (typeof value === 'string' && HAS_SHAPE[name]?.(value) === false) {
    throw new UnusableWebhookError(`${name} is invalid`);
  }
}

/**
 * Whether an absent parameter may have been there when the webhook was signed: its name stands somewhere in what is
 * signed. Headers of a SIP call do not count, since anybody may call theirs `X-Digits`, unless they come first: a
 * parameter that belongs after them can have become part of them.
 */
function isShifted(name: string, pairs: SignedPair[]): boolean {
  const texts = pairs.filter(([other]) => other < name || !other.startsWith('SipHeader_'));
  return texts.flat().join('').includes(name);
}

/** Refuses a webhook when a part of the URL may have been moved into the form, or the other way round. */
function assertUrlIsWhole(query: URLSearchParams, [first]: SignedPair[]): void {
  if (query.has('phone_call_id')) {
    if (ownIdIn(query) === undefined) throw new UnusableWebhookError('phone_call_id is invalid');
    if (query.has('step') && answeredStep(query) === undefined) throw new UnusableWebhookError('step is invalid');
  }
  // Digits and separators, of which the end of our URL consists, come before all letters, and an empty name before them.
  if (first && first[0] < 'A' && first.join('') !== '') {
    throw new UnusableWebhookError(`${JSON.stringify(first[0])} is not the name of a parameter`);
  }
}
