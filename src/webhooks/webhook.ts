import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Account } from '../config/platform.js';
import { InvalidSignatureError } from '../errors/errors.js';
import { mediaTypeOf } from '../server/media-type.js';
import { parseJsonObject } from '../server/request-bodies.js';
import { toStorable } from '../server/assert-storable.js';
import type { Metadata } from '../metadata/metadata.js';
import { isDigestOf, isSigned } from './signature.js';
import { type SignedPair, readWebhookForm } from './webhook-form.js';

/** A webhook as received. Its body is not parsed, because the signature covers the bytes. */
export interface RawWebhook {
  /** The path and query of the URL that the provider called. */
  path: string;
  json: boolean;
  body: Buffer;
  signature: string;
}

/** Injects the webhook of a request to a route with `RawBody`. */
export const Webhook = createParamDecorator((_: unknown, context: ExecutionContext): RawWebhook => {
  const { originalUrl, body, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    path: originalUrl,
    json: mediaTypeOf(headers) === 'application/json',
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    signature: headers['x-twilio-signature']?.toString() ?? '',
  };
});

/** A webhook that one of our accounts signed. */
export interface SignedWebhook {
  /** All parameters. */
  details: Metadata;
  /** The parameters of a form, in the order in which they are signed. Empty for JSON, whose bytes are signed. */
  signedPairs: SignedPair[];
}

/**
 * Verifies the signature of a webhook, and reads its parameters. Characters that the database cannot store are
 * replaced, because the provider does not repeat a rejected webhook. A JSON body is parsed only if the signature is
 * valid.
 * @param url that the provider called
 * @throws InvalidSignatureError if none of the accounts signed it
 * @throws BadRequestError if the body is not a JSON object, or the form has too many parameters
 */
export function readSignedWebhook(
  { json, body, signature }: RawWebhook,
  url: string,
  accounts: readonly Account[],
): SignedWebhook {
  if (json) {
    const signed = isDigestOf(body, url) && isSigned(signature, url, { signable: Buffer.alloc(0) }, accounts);
    if (!signed) throw new InvalidSignatureError();
    return { details: toStorable(parseJsonObject(body.toString('utf8'))), signedPairs: [] };
  }
  const form = readWebhookForm(body);
  if (!isSigned(signature, url, form, accounts)) throw new InvalidSignatureError();
  return { details: toStorable(form.parameters), signedPairs: form.signedPairs };
}
