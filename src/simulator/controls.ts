import type { FastifyInstance } from 'fastify';
import { fail } from './calls-api.js';
import type { Exchange } from './exchange.js';
import { NO_FAULTS, readFaults } from './faults.js';
import type { Outcome } from './outcomes.js';

/** What is asked of a person who is to call in. */
interface Inbound {
  from: string;
  to: string;
  /** The keys pressed at each question in turn; `hangup` ends the call there. */
  keys?: string[];
  url?: string;
  /** Answer only when the call is over, with its transcript. */
  wait?: boolean;
}

/** What is not Twilio's: people who call in, what certain people do, faults, and what there was to see. */
export function serveControls(fastify: FastifyInstance, exchange: Exchange, inboundUrl: () => Promise<string>): void {
  fastify.post('/inbound_calls', async (request, reply) => {
    const { from, to, keys = [], url, wait } = request.body as Inbound;
    if (!from || !to) return fail(reply, 400, 21201, 'from and to are required');
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

  fastify.put('/people/:msisdn', async (request, reply) => {
    const { keys, machine, ending, hangsUpAtOnce } = request.body as Partial<Outcome>;
    const person = { keys, machine, ending, hangsUpAtOnce };
    const chosen = Object.entries(person).filter(([, value]) => value !== undefined);
    exchange.people.set((request.params as { msisdn: string }).msisdn, Object.fromEntries(chosen));
    return reply.status(204).send();
  });

  fastify.get('/calls/:sid/transcript', async (request, reply) => {
    const call = exchange.calls.get((request.params as { sid: string }).sid);
    return call ? call.transcript : fail(reply, 404, 20404, 'The requested resource was not found');
  });

  fastify.put('/faults', async (request, reply) => {
    const faults = readFaults(request.body);
    if (typeof faults === 'string') return fail(reply, 400, 20001, faults);
    exchange.faults = faults;
    return faults;
  });

  fastify.delete('/faults', async (_request, reply) => {
    exchange.faults = NO_FAULTS;
    return reply.status(204).send();
  });

  fastify.get('/statistics', async () => {
    const byStatus: Record<string, number> = {};
    for (const { status } of exchange.calls.values()) byStatus[status] = (byStatus[status] ?? 0) + 1;
    return {
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
