import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import { listCalls } from './call-list.js';
import { readCallRequest } from './call-request.js';
import type { Exchange } from './exchange.js';
import type { SimulatedCall } from './simulated-call.js';
import { TwilioError, invalid, notFound, refusalOfAccount } from './twilio-error.js';

/** Longer than any client waits for an answer, in milliseconds. */
const NEVER = 150_000;

/** Twilio's REST API of calls: create, list, fetch, and end. Source: https://www.twilio.com/docs/voice/api/call-resource */
export function serveCalls(fastify: FastifyInstance, exchange: Exchange): void {
  readForms(fastify);
  const base = '/Accounts/:account/Calls';

  fastify.post(`${base}.json`, async (request, reply) => {
    exchange.requested++;
    const form = formOf(request);
    const { account } = exchange.faults;
    if (account !== null) throw refusalOfAccount(account);
    const wanted = readCallRequest(form);
    const fault = exchange.faultOf(wanted.to);
    if (fault === 'refused') throw invalid(`The 'To' number ${wanted.to} is not a valid phone number`, 21211);
    if (fault === '429') throw new TwilioError(429, 20429, 'Too Many Requests');
    if (fault === '500_before') throw new TwilioError(500, 20500, 'Internal Server Error');
    if (fault === 'hang_before') return hang(reply);
    const shown = exchange.take(wanted).call.show();
    if (fault === '500_after') throw new TwilioError(500, 20500, 'Internal Server Error');
    if (fault === 'hang_after') return hang(reply);
    return reply.status(201).send(shown);
  });

  fastify.get(`${base}.json`, async ({ url }) => {
    const { searchParams } = new URL(url, 'http://simulator');
    return listCalls([...exchange.calls.values()].toReversed(), searchParams, exchange.account.sid);
  });

  fastify.get(`${base}/:sid.json`, async (request) => find(exchange, request).show());

  fastify.post(`${base}/:sid.json`, async (request) => {
    const call = find(exchange, request);
    const status = formOf(request).get('Status');
    if (status !== 'canceled' && status !== 'completed') throw invalid('Status must be canceled or completed');
    if (call.isOver) throw invalid('Call is not in-progress. Cannot redirect.', 21220);
    call.end(status);
    return call.show();
  });
}

/** Twilio's forms are flat, and repeat a name for each of its values. Any other body has no parameters. */
function readForms(fastify: FastifyInstance): void {
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

function find(exchange: Exchange, request: FastifyRequest): SimulatedCall {
  const call = exchange.calls.get((request.params as { sid: string }).sid);
  if (!call) throw notFound(request);
  return call;
}

async function hang(reply: FastifyReply): Promise<FastifyReply> {
  await pause(NEVER, undefined, { ref: false });
  return reply.status(504).send();
}
