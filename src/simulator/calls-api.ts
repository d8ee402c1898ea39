import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import { listCalls } from './call-list.js';
import { readCallRequest, readCallUpdate } from './call-request.js';
import type { RequestFault } from './faults.js';
import type { SimulatedCall } from './simulated-call.js';
import type { SimulatedProvider } from './simulated-provider.js';
import { TwilioError, accountError, invalidRequest, notFound } from './twilio-error.js';

/** How long a request hangs (ms): longer than any client waits. */
const HANG_TIME = 150_000;

/**
 * Registers Twilio's REST API of calls: create, list, fetch and end. Source:
 * https://www.twilio.com/docs/voice/api/call-resource
 */
export function serveCalls(fastify: FastifyInstance, provider: SimulatedProvider): void {
  acceptForms(fastify);
  const base = '/Accounts/:account/Calls';

  fastify.post(`${base}.json`, async (request, reply) => {
    provider.requested++;
    const form = formOf(request);
    throwAccountError(provider);
    const callRequest = readCallRequest(form);
    const fault = provider.pickRequestFault('create', callRequest.to);
    if (fault === 'refused')
      throw invalidRequest(`The 'To' number ${callRequest.to} is not a valid phone number`, 21211);
    return respond(reply.status(201), fault, () => provider.createCall(callRequest).call.toResource());
  });

  fastify.get(`${base}.json`, async ({ url }) => {
    const { searchParams } = new URL(url, 'http://simulator');
    return listCalls([...provider.calls.values()].toReversed(), searchParams, provider.account.sid);
  });

  fastify.get(`${base}/:sid.json`, async (request) => findCall(provider, request).toResource());

  fastify.post(`${base}/:sid.json`, async (request, reply) => {
    throwAccountError(provider);
    const call = findCall(provider, request);
    const { status } = readCallUpdate(formOf(request));
    return respond(reply, provider.pickRequestFault('end', call.request.to), () => {
      if (call.isOver) throw invalidRequest('Call is not in-progress. Cannot redirect.', 21220);
      call.end(status);
      return call.toResource();
    });
  });
}

/** @throws TwilioError if the account is at fault */
function throwAccountError({ faults: { account } }: SimulatedProvider): void {
  if (account !== null) throw accountError(account);
}

/**
 * Acts on a request and sends the resulting resource, unless a fault prevents either.
 * @throws TwilioError if the fault is an error, or from `act`
 */
async function respond(
  reply: FastifyReply,
  fault: RequestFault | undefined,
  act: () => Record<string, unknown>,
): Promise<FastifyReply> {
  if (fault === '429') throw new TwilioError(429, 20429, 'Too Many Requests');
  if (fault === '500_before') throw new TwilioError(500, 20500, 'Internal Server Error');
  if (fault === 'hang_before') return hang(reply);
  const resource = act();
  if (fault === '500_after') throw new TwilioError(500, 20500, 'Internal Server Error');
  if (fault === 'hang_after') return hang(reply);
  return reply.send(resource);
}

/**
 * Parses forms as Twilio does: flat, with a name repeated for each of its values. A body of any other type has no
 * parameters.
 */
function acceptForms(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, body: string) => new URLSearchParams(body),
  );
  fastify.addContentTypeParser('*', { parseAs: 'string' }, async () => undefined);
}

function formOf({ body }: FastifyRequest): URLSearchParams {
  return body instanceof URLSearchParams ? body : new URLSearchParams();
}

function findCall(provider: SimulatedProvider, request: FastifyRequest): SimulatedCall {
  const call = provider.calls.get((request.params as { sid: string }).sid);
  if (!call) throw notFound(request);
  return call;
}

async function hang(reply: FastifyReply): Promise<FastifyReply> {
  await pause(HANG_TIME, undefined, { ref: false });
  return reply.status(504).send();
}
