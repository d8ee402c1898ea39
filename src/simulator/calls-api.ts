import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import { DateTime } from 'luxon';
import type { Exchange } from './exchange.js';
import type { SimulatedCall } from './simulated-call.js';

const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
const LONGEST_TWIML = 4_000;
const MOST_ON_A_PAGE = 1_000;

/** Longer than any client waits for an answer, in milliseconds. */
const NEVER = 150_000;

type Query = Record<string, string | undefined>;

/** Twilio's REST API of calls: create, list, fetch, and end. */
export function serveCalls(fastify: FastifyInstance, exchange: Exchange): void {
  const base = '/2010-04-01/Accounts/:account/Calls';

  fastify.post(`${base}.json`, async (request, reply) => {
    const form = request.body as URLSearchParams;
    const to = form.get('To') ?? '';
    const { account } = exchange.faults;
    if (account) return fail(reply, account === 20003 ? 401 : 400, account, 'The account cannot place calls now');
    const wrong = refusal(form);
    if (wrong) return fail(reply, 400, ...wrong);
    const fault = exchange.faultOf(to);
    if (fault === 'refused') return fail(reply, 400, 21211, `The 'To' number ${to} is not a valid phone number`);
    if (fault === '429') return fail(reply, 429, 20429, 'Too Many Requests');
    if (fault === '500_before') return fail(reply, 500, 20500, 'Internal Server Error');
    if (fault === 'hang_before') return hang(reply);
    const shown = exchange.take(requestOf(form)).call.show();
    if (fault === '500_after') return fail(reply, 500, 20500, 'Internal Server Error');
    if (fault === 'hang_after') return hang(reply);
    return reply.status(201).send(shown);
  });

  fastify.get(`${base}.json`, async (request) => listed(exchange, request));

  fastify.get(`${base}/:sid.json`, async (request, reply) => {
    const call = find(exchange, request);
    return call ? call.show() : fail(reply, 404, 20404, 'The requested resource was not found');
  });

  fastify.post(`${base}/:sid.json`, async (request, reply) => {
    const call = find(exchange, request);
    if (!call) return fail(reply, 404, 20404, 'The requested resource was not found');
    if (!call.end((request.body as URLSearchParams).get('Status') ?? '')) {
      return fail(reply, 400, 21220, 'Call is not in a state in which it can be ended so');
    }
    return call.show();
  });
}

/** Answers an error in Twilio's shape. */
export function fail(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.status(status).send({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });
}

/** Source of the codes: https://www.twilio.com/docs/api/errors */
function refusal(form: URLSearchParams): [code: number, message: string] | undefined {
  const to = form.get('To');
  if (!to) return [21201, "No 'To' number is specified"];
  if (!/^\+[1-9]\d{4,14}$/.test(to)) return [21211, `The 'To' number ${to} is not a valid phone number`];
  if (!form.get('From')) return [21213, "No 'From' number is specified"];
  const twiml = form.get('Twiml');
  if (!form.get('Url') && !twiml && !form.get('ApplicationSid')) return [21205, 'Url parameter is required'];
  if (form.get('Url') && !URL.canParse(form.get('Url')!)) return [21205, 'Url is not a valid URL'];
  if (twiml && twiml.length > LONGEST_TWIML) return [21632, `Twiml is longer than ${LONGEST_TWIML} characters`];
  if (!form.getAll('StatusCallbackEvent').every((event) => EVENTS.includes(event))) {
    return [21626, 'Invalid StatusCallbackEvents'];
  }
  return undefined;
}

function requestOf(form: URLSearchParams) {
  const events = form.getAll('StatusCallbackEvent');
  return {
    to: form.get('To')!,
    from: form.get('From')!,
    direction: 'outbound-api',
    url: form.get('Url') ?? undefined,
    method: form.get('Method') ?? 'POST',
    twiml: form.get('Twiml') ?? undefined,
    statusCallback: form.get('StatusCallback') ?? undefined,
    statusCallbackEvents: events.length > 0 ? events : ['completed'],
    detectsMachines: form.get('MachineDetection') !== null && form.get('AsyncAmd') !== 'true',
    tellsWhoAnswered: form.get('AsyncAmd') === 'true' ? (form.get('AsyncAmdStatusCallback') ?? undefined) : undefined,
  } as const;
}

function find(exchange: Exchange, request: FastifyRequest): SimulatedCall | undefined {
  return exchange.calls.get((request.params as { sid: string }).sid);
}

async function hang(reply: FastifyReply): Promise<FastifyReply> {
  await pause(NEVER, undefined, { ref: false });
  return reply.status(504).send();
}

function listed(exchange: Exchange, request: FastifyRequest): Record<string, unknown> {
  const query = request.query as Query;
  const size = Math.min(MOST_ON_A_PAGE, Math.max(1, Number(query.PageSize ?? 50)));
  const page = Math.max(0, Number(query.Page ?? 0));
  const calls = [...exchange.calls.values()].filter((call) => matches(call, query)).toReversed();
  const shown = calls.slice(page * size, (page + 1) * size);
  const uri = (number: number): string => {
    const parameters = new URLSearchParams({
      ...(query as Record<string, string>),
      PageSize: String(size),
      Page: String(number),
    });
    return `/2010-04-01/Accounts/${exchange.options.accountSid}/Calls.json?${parameters.toString()}`;
  };
  return {
    calls: shown.map((call) => call.show()),
    page,
    page_size: size,
    start: page * size,
    end: Math.max(0, page * size + shown.length - 1),
    uri: uri(page),
    first_page_uri: uri(0),
    next_page_uri: calls.length > (page + 1) * size ? uri(page + 1) : null,
    previous_page_uri: page > 0 ? uri(page - 1) : null,
  };
}

function matches({ request, createdAt, status }: SimulatedCall, query: Query): boolean {
  const { To, From, Status } = query;
  const after = query['StartTime>'];
  const before = query['StartTime<'];
  return (
    (!To || request.to === To) &&
    (!From || request.from === From) &&
    (!Status || status === Status) &&
    (!after || createdAt >= DateTime.fromISO(after, { zone: 'utc' })) &&
    (!before || createdAt <= DateTime.fromISO(before, { zone: 'utc' }))
  );
}
