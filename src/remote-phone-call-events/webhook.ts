import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Account } from '../config/platform.js';
import { assertStorable } from '../http/assert-storable.js';
import { InvalidSignatureError, UnusableWebhookError } from '../errors/errors.js';
import { mediaTypeOf } from '../http/media-type.js';
import { parseJson } from '../http/request-bodies.js';
import type { Metadata } from '../metadata/metadata.js';
import { isDigestOf, isSigned } from './signature.js';
import { readWebhookForm } from './webhook-form.js';

/** A webhook as it came in: its body unread, since the signature is over what was sent. */
export interface RawWebhook {
  /** The path and query of the URL that the provider called. */
  path: string;
  json: boolean;
  body: Buffer;
  signature: string;
}

/** The longest id that a provider gives anything. Twilio's have 34 characters, Somleng's 36. */
const LONGEST_ID = 64;

/**
 * Of a callback that says nothing of the call's status, one of these says what it is about: who answered, a recording,
 * a transcription, a conference, a queue, a stream. Source: https://www.twilio.com/docs/voice/api
 */
const OTHER_SUBJECTS = ['AnsweredBy', 'RecordingSid', 'TranscriptionSid', 'ConferenceSid', 'QueueSid', 'StreamSid'];

/** The webhook in a request to a route with `RawBody`. */
export const Webhook = createParamDecorator((_: unknown, context: ExecutionContext): RawWebhook => {
  const { originalUrl, body, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    path: originalUrl,
    json: mediaTypeOf(headers) === 'application/json',
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    signature: headers['x-twilio-signature']?.toString() ?? '',
  };
});

/**
 * The parameters of a webhook that one of the accounts has signed.
 * @param url that the provider called
 * @throws InvalidSignatureError when none has: of a JSON body nothing is read then
 * @throws BadRequestError
 */
export function signedParametersOf(
  { json, body, signature }: RawWebhook,
  url: string,
  accounts: readonly Account[],
): Metadata {
  if (json) {
    const signed = isDigestOf(body, url) && isSigned(signature, url, { signable: Buffer.alloc(0) }, accounts);
    if (!signed) throw new InvalidSignatureError();
    return parseJson(body.toString('utf8'));
  }
  const form = readWebhookForm(body);
  if (!isSigned(signature, url, form, accounts)) throw new InvalidSignatureError();
  const parameters = withoutNul(form.parameters);
  assertStorable(parameters);
  return parameters;
}

/**
 * The parameters with U+FFFD for each NUL, which PostgreSQL does not store: the provider does not repeat a webhook that
 * is refused.
 */
function withoutNul(parameters: Metadata): Metadata {
  const kept = (text: unknown): unknown => (typeof text === 'string' ? text.replaceAll('\0', '\uFFFD') : text);
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name.replaceAll('\0', '\uFFFD'),
      Array.isArray(value) ? value.map(kept) : kept(value),
    ]),
  );
}

/**
 * Refuses a webhook that lacks one of the required names. The provider signs names and values without the border
 * between them: a body whose borders were shifted is signed, too.
 * @returns the provider's id of the call
 * @throws UnusableWebhookError
 */
export function callIdOf(details: Metadata): string {
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
  return CallSid;
}
