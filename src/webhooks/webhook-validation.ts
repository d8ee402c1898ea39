import { answeredStep, phoneCallIdIn } from '../call-flows/webhook-url.js';
import { UnusableWebhookError } from '../errors/errors.js';
import type { SignedWebhook } from './webhook.js';
import type { SignedPair } from './webhook-form.js';

// The provider signs the URL, followed by the names and values of the form sorted by name, without separators.
// Therefore someone who has a signed webhook can change it and keep its signature: move the border between a name and a
// value (`CallStatus` + `ringing` to `CallStatusr` + `inging`), send a parameter twice, or move a part of the URL into
// the form. The checks below reject every such change that would affect what we do with the webhook.

/** The longest id that a provider gives anything. Twilio's have 34 characters, Somleng's 36. */
const MAX_ID_LENGTH = 64;

/**
 * A callback without `CallStatus` has one of these: it reports who answered, a recording, a transcription, a
 * conference, a queue or a stream. Source: https://www.twilio.com/docs/voice/api
 */
const SUBJECTS_WITHOUT_STATUS = [
  'AnsweredBy',
  'RecordingSid',
  'TranscriptionSid',
  'ConferenceSid',
  'QueueSid',
  'StreamSid',
];

/** The parameters that decide what we do with a webhook. */
const USED = ['AnsweredBy', 'CallStatus', 'CallbackSource', 'Digits', 'Direction', 'SequenceNumber'];

/** Further parameters that decide what we do with an inbound call. */
const USED_INBOUND = ['From', 'To'];

/** A number followed by letters of the next parameter's name: `+85512345678FromCity`. */
const NUMBER_AND_LETTERS = /^\+?\d+[a-z]/i;

/** The endings of longer names that begin with `From` or `To`, such as `FromCity`. */
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

/**
 * Whether a value of `From` or `To` contains no part of a name. If `ToCity` is cut after `To`, the value begins with
 * `City`.
 */
function isAddress(value: string): boolean {
  const isNameEnd = NAME_ENDS.some((end) => value !== '' && (value.startsWith(end) || end.startsWith(value)));
  return !isNameEnd && !NUMBER_AND_LETTERS.test(value);
}

/**
 * Checks a signed webhook.
 * @param query of the URL that the provider called
 * @returns the provider's id of the call
 * @throws UnusableWebhookError if required parameters are missing or invalid, or the webhook may have been changed
 *   after it was signed
 */
export function assertUsable({ details, signedPairs }: SignedWebhook, query: URLSearchParams): string {
  const { CallSid, CallStatus, Direction } = details;
  if (typeof CallSid !== 'string' || CallSid === '') throw new UnusableWebhookError("CallSid can't be blank");
  for (const [name, value] of Object.entries(details)) {
    const isTooLong = name.endsWith('Sid') && typeof value === 'string' && value.length > MAX_ID_LENGTH;
    if (isTooLong) throw new UnusableWebhookError(`${name} is longer than ${MAX_ID_LENGTH} characters`);
  }
  const hasStatus = typeof CallStatus === 'string' && CallStatus !== '';
  if (!hasStatus && !SUBJECTS_WITHOUT_STATUS.some((name) => Object.hasOwn(details, name))) {
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
  // The provider signs a repeated name and value once, so a copy can be added without breaking the signature.
  if (Array.isArray(value)) throw new UnusableWebhookError(`${name} must be given once`);
  if (typeof value === 'string' && HAS_SHAPE[name]?.(value) === false) {
    throw new UnusableWebhookError(`${name} is invalid`);
  }
}

/**
 * Whether an absent parameter may have been present when the webhook was signed: the signed text contains its name. SIP
 * headers that sort after the parameter are skipped, because a caller may name a header `X-Digits`. SIP headers that
 * sort before it are not: the parameter may have become part of them.
 */
function isShifted(name: string, pairs: SignedPair[]): boolean {
  const texts = pairs.filter(([other]) => other < name || !other.startsWith('SipHeader_'));
  return texts.flat().join('').includes(name);
}

/**
 * @throws UnusableWebhookError if a part of the URL may have been moved into the form, or a part of the form into it
 */
function assertUrlIsWhole(query: URLSearchParams, [first]: SignedPair[]): void {
  if (query.has('phone_call_id')) {
    if (phoneCallIdIn(query) === undefined) throw new UnusableWebhookError('phone_call_id is invalid');
    if (query.has('step') && answeredStep(query) === undefined) throw new UnusableWebhookError('step is invalid');
  }
  // A part of our URL would be the first name: it is empty, or begins with a digit or a separator, which sort before
  // all letters.
  if (first && first[0] < 'A' && first.join('') !== '') {
    throw new UnusableWebhookError(`${JSON.stringify(first[0])} is not the name of a parameter`);
  }
}
