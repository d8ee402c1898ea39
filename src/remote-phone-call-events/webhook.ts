import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import twilio from 'twilio';
import type { Account } from '../config.js';
import { decodeParameters } from '../http/nested-parameters.js';
import { parseJson } from '../http/request-bodies.js';
import { storable } from '../http/storable.js';
import { Unreadable } from '../http/errors.js';
import type { Metadata } from '../metadata/metadata.js';

/** A webhook as it came in: its body unread, since the signature is over what was sent. */
export interface RawWebhook {
  /** The path and query of the URL that the provider called. */
  path: string;
  json: boolean;
  body: string;
  signature: string | undefined;
  /** Twilio's `I-Twilio-Idempotency-Token`: the same for each delivery of one event. */
  deliveryToken: string | undefined;
}

/** The webhook in a request to a route with `RawBody`. */
export const Webhook = createParamDecorator((_: unknown, context: ExecutionContext): RawWebhook => {
  const { originalUrl, body, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  const header = (name: string): string | undefined => headers[name]?.toString();
  return {
    path: originalUrl,
    json: header('content-type')?.startsWith('application/json') ?? false,
    body: typeof body === 'string' ? body : '',
    signature: header('x-twilio-signature'),
    deliveryToken: header('i-twilio-idempotency-token'),
  };
});

/**
 * The parameters of a webhook, flat and as received: a name that is given several times has a list.
 * @throws Unreadable
 */
export function parametersOf({ json, body }: RawWebhook): Metadata {
  if (json) return parseJson(body);
  const parameters: Metadata = {};
  for (const [name, value] of decodeParameters(body)) {
    if (name === '__proto__') throw new Unreadable('__proto__ cannot be used as a key');
    const before = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (before === undefined) parameters[name] = value ?? '';
    else parameters[name] = [...(Array.isArray(before) ? before : [before]), value ?? ''];
  }
  return storable(parameters);
}

/**
 * Whether one of the accounts has signed the webhook. Source: https://www.twilio.com/docs/usage/security#validating-requests: a form by
 * its URL and sorted parameters, any other body by its URL, in which `bodySHA256` is the body's digest.
 */
export function isSigned(
  { signature, json, body }: RawWebhook,
  url: string,
  parameters: Metadata,
  accounts: readonly Account[],
): boolean {
  if (!signature) return false;
  return accounts.some(({ token }) =>
    json
      ? url.includes('bodySHA256=') && twilio.validateRequestWithBody(token, signature, url, body)
      : twilio.validateRequest(token, signature, url, parameters),
  );
}
