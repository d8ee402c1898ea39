import { Ajv } from 'ajv';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseStorableJson } from '../server/request-bodies.js';
import type { Metadata } from '../metadata/metadata.js';
import { readNumbers } from './call-request.js';
import { type ForeignCall, type InboundCall, type PersonSettings, schemas } from './control-schemas.js';
import { type Faults, NO_FAULTS } from './faults.js';
import type { SimulatedProvider } from './simulated-provider.js';
import { invalidRequest, notFound } from './twilio-error.js';

/** The document of another party's call. Nobody needs to serve it. */
const FOREIGN_TWIML = '<Response><Say>Good morning.</Say></Response>';

/**
 * Registers the controls, which Twilio does not have: inbound calls, the behavior of people, faults, transcripts and
 * statistics. They are documented in docs/simulator.md.
 * @param inboundUrl resolves to the webhook that is requested when a person calls in
 */
export function serveControls(
  fastify: FastifyInstance,
  provider: SimulatedProvider,
  inboundUrl: () => Promise<string>,
): void {
  acceptJson(fastify);
  validateStrictly(fastify);

  fastify.post<{ Body: InboundCall }>('/inbound_calls', { schema: schemas.inboundCall }, async (request, reply) => {
    const { from, to, keys, url, wait } = request.body;
    const webhook = url ?? (await inboundUrl());
    const { call, over } = provider.createCall(
      {
        from,
        to,
        direction: 'inbound',
        url: webhook,
        method: 'POST',
        statusCallback: webhook,
        statusCallbackEvents: ['completed'],
        detectsMachines: false,
      },
      { keys, ending: 'answered', hangsUpAtOnce: false, machine: false },
    );
    if (wait) await over;
    return reply.status(201).send({ ...call.toResource(), transcript: call.transcript });
  });

  fastify.post<{ Body: ForeignCall }>('/foreign_calls', { schema: schemas.foreignCall }, async (request, reply) => {
    const { call } = provider.createCall({
      ...readNumbers(request.body),
      direction: 'outbound-api',
      method: 'POST',
      twiml: FOREIGN_TWIML,
      statusCallbackEvents: [],
      detectsMachines: false,
      isForeign: true,
    });
    return reply.status(201).send(call.toResource());
  });

  fastify.put<{ Body: PersonSettings; Params: { msisdn: string } }>(
    '/people/:msisdn',
    { schema: schemas.person },
    async (request, reply) => {
      provider.people.set(request.params.msisdn, request.body);
      return reply.status(204).send();
    },
  );

  fastify.get<{ Params: { sid: string } }>('/calls/:sid/transcript', async (request) => {
    const call = provider.calls.get(request.params.sid);
    if (!call) throw notFound(request);
    return call.transcript;
  });

  fastify.put<{ Body: Faults }>('/faults', { schema: schemas.faults }, async ({ body }) => {
    provider.faults = body;
    return body;
  });

  fastify.delete('/faults', async (_request, reply) => {
    provider.faults = NO_FAULTS;
    return reply.status(204).send();
  });

  fastify.get('/statistics', async () => {
    const byStatus: Record<string, number> = {};
    for (const { status } of provider.calls.values()) byStatus[status] = (byStatus[status] ?? 0) + 1;
    return {
      requested: provider.requested,
      created: provider.created,
      by_status: byStatus,
      rung_again: provider.repeatedNumbers(),
      callbacks_sent: provider.webhooks.sent,
      callbacks_failed: provider.webhooks.failed,
      most_in_ten_seconds: provider.mostInTenSeconds(),
      creations: provider.creationTimes.slice(-100_000),
    };
  });
}

/** Parses bodies as JSON objects. The body of a DELETE is ignored. */
function acceptJson(fastify: FastifyInstance): void {
  const accept = (type: string, parse: (body: string) => unknown): void => {
    const parser = async ({ method }: FastifyRequest, body: string) =>
      method === 'DELETE' || body === '' ? undefined : parse(body);
    fastify.addContentTypeParser(type, { parseAs: 'string' }, parser);
  };
  fastify.removeAllContentTypeParsers();
  accept('application/json', parseObject);
  accept('*', () => {
    throw invalidRequest('the body must be JSON, with the header Content-Type: application/json');
  });
}

/** Unlike the API, rejects `null` and `[]`: a mistake must not reset the faults. */
function parseObject(text: string): Metadata {
  const object = parseStorableJson(text);
  if (!text.trimStart().startsWith('{')) throw invalidRequest('the body must be a JSON object');
  return object;
}

/** Validates without type coercion: Fastify's default would accept the number `1` for the text `"1"`. */
function validateStrictly(fastify: FastifyInstance): void {
  const ajv = new Ajv({ useDefaults: true, allowUnionTypes: true });
  fastify.setValidatorCompiler(({ schema }) => ajv.compile(schema));
  fastify.setSchemaErrorFormatter(([error], part) => {
    const { instancePath = '', message = 'is not valid', params = {} } = error ?? {};
    const unknown = (params as { additionalProperty?: string }).additionalProperty;
    const path = `${part}${instancePath}`.replaceAll('/', '.');
    return invalidRequest(unknown ? `${path}.${unknown} is not known` : `${path} ${message}`);
  });
}
