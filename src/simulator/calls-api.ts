import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import { listCalls } from './call-list.js';
import { readCallRequest } from './call-request.js';
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
    const { account } = provider.faults;
    if (account !== null) throw accountError(account);
    const callRequest = readCallRequest(form);
    const fault = provider.pickCreateFault(callRequest.to);
    if (fault === 'refused')
      throw invalidRequest(`The 'To' number ${callRequest.to} is not a valid phone number`, 21211);
    if (fault === '429') throw new TwilioError(429, 20429, 'Too Many Requests');
    if (fault === '500_before') throw new TwilioError(500, 20500, 'Internal Server Error');
    if (fault === 'hang_before') return hang(reply);
    const resource = provider.createCall(callRequest).call.toResource();
    if (fault === '500_after') throw new TwilioError(500, 20500, 'Internal Server Error');
    if (fault === 'hang_after') return hang(reply);
    return reply.status(201).send(resource);
  });

  fastify.get(`${base}.json`, async ({ url }) => {
    const { searchParams } = new URL(url, 'http://simulator');
    return listCalls([...provider.calls.values()].toReversed(), searchParams, provider.account.sid);
  });

  fastify.get(`${base}/:sid.json`, async (request) => findCall(provider, request).toResource());

  fastify.post(`${base}/:sid.json`, async (request) => {
    const call = findCall(provider, request);
    const status = formOf(request).get('Status');
    if (status !== 'canceled' && status !== 'completed') throw invalidRequest('Status must be canceled or completed');
    if (call.isOver) throw invalidRequest('Call is not in-progress. Cannot redirect.', 21220);
    call.end(status);
    return call.toResource();
  });
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
