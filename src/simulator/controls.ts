import { Ajv } from 'ajv';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJson } from '../http/request-bodies.js';
import type { Metadata } from '../metadata/metadata.js';
import { readNumbers } from './call-request.js';
import { type ForeignCall, type InboundCall, type Person, schemas } from './control-schemas.js';
import type { Exchange } from './exchange.js';
import { type Faults, NO_FAULTS } from './faults.js';
import { invalid, notFound } from './twilio-error.js';

/** What is said in a call of another party; nobody has to answer while it rings. */
const FOREIGN_TWIML = '<Response><Say>Good morning.</Say></Response>';

/** What is not Twilio's: people who call in, what certain people do, faults, and what there was to see. docs/simulator.md */
export function serveControls(fastify: FastifyInstance, exchange: Exchange, inboundUrl: () => Promise<string>): void {
  readJson(fastify);
  checkStrictly(fastify);

  fastify.post<{ Body: InboundCall }>('/inbound_calls', { schema: schemas.inboundCall }, async (request, reply) => {
    const { from, to, keys, url, wait } = request.body;
    const webhook = url ?? (await inboundUrl());
    const { call, over } = exchange.take(
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
    return reply.status(201).send({ ...call.show(), transcript: call.transcript });
  });

  fastify.post<{ Body: ForeignCall }>('/foreign_calls', { schema: schemas.foreignCall }, async (request, reply) => {
    const { call } = exchange.take({
      ...readNumbers(request.body),
      direction: 'outbound-api',
      method: 'POST',
      twiml: FOREIGN_TWIML,
      statusCallbackEvents: [],
      detectsMachines: false,
      isForeign: true,
    });
    return reply.status(201).send(call.show());
  });

  fastify.put<{ Body: Person; Params: { msisdn: string } }>(
    '/people/:msisdn',
    { schema: schemas.person },
    async (request, reply) => {
      exchange.people.set(request.params.msisdn, request.body);
      return reply.status(204).send();
    },
  );

  fastify.get<{ Params: { sid: string } }>('/calls/:sid/transcript', async (request) => {
    const call = exchange.calls.get(request.params.sid);
    if (!call) throw notFound(request);
    return call.transcript;
  });

  fastify.put<{ Body: Faults }>('/faults', { schema: schemas.faults }, async ({ body }) => {
    exchange.faults = body;
    return body;
  });

  fastify.delete('/faults', async (_request, reply) => {
    exchange.faults = NO_FAULTS;
    return reply.status(204).send();
  });

  fastify.get('/statistics', async () => {
    const byStatus: Record<string, number> = {};
    for (const { status } of exchange.calls.values()) byStatus[status] = (byStatus[status] ?? 0) + 1;
    return {
      requested: exchange.requested,
      created: exchange.created,
      by_status: byStatus,
      rung_again: exchange.rungAgain(),
      callbacks_sent: exchange.webhooks.sent,
      callbacks_failed: exchange.webhooks.failed,
      most_in_ten_seconds: exchange.mostInTenSeconds(),
      creations: exchange.taken.slice(-100_000),
    };
  });
}

/** Bodies are JSON objects. Nothing reads that of a DELETE. */
function readJson(fastify: FastifyInstance): void {
  const read = (type: string, parse: (body: string) => unknown): void => {
    const parser = async ({ method }: FastifyRequest, body: string) =>
      method === 'DELETE' || body === '' ? undefined : parse(body);
    fastify.addContentTypeParser(type, { parseAs: 'string' }, parser);
  };
  fastify.removeAllContentTypeParsers();
  read('application/json', parseObject);
  read('*', () => {
    throw invalid('the body must be JSON, with the header Content-Type: application/json');
  });
}

/** Unlike in the API, `null` and `[]` are no object: a mistake must not reset the faults. */
function parseObject(text: string): Metadata {
  const object = parseJson(text);
  if (!text.trimStart().startsWith('{')) throw invalid('the body must be a JSON object');
  return object;
}

/** Nothing is turned into what it is not: Fastify's own checks would make the text `"1"` of the number `1`. */
function checkStrictly(fastify: FastifyInstance): void {
  const ajv = new Ajv({ useDefaults: true, allowUnionTypes: true });
  fastify.setValidatorCompiler(({ schema }) => ajv.compile(schema));
  fastify.setSchemaErrorFormatter(([error], part) => {
    const { instancePath = '', message = 'is not valid', params = {} } = error ?? {};
    const unknown = (params as { additionalProperty?: string }).additionalProperty;
    const place = `${part}${instancePath}`.replaceAll('/', '.');
    return invalid(unknown ? `${place}.${unknown} is not known` : `${place} ${message}`);
  });
}
