import type { FastifyInstance } from 'fastify';
import { fail, serveCalls } from './calls-api.js';
import { serveControls } from './controls.js';
import { Exchange, type SimulatorOptions } from './exchange.js';

/**
 * A provider in the box: Twilio's HTTP API of calls, people who answer them, and faults on request. To be registered under a prefix.
 * @param options `inboundUrl` is the webhook that is asked when a person calls in
 */
export async function simulator(
  fastify: FastifyInstance,
  options: SimulatorOptions & { inboundUrl: () => Promise<string> },
): Promise<void> {
  const exchange = new Exchange(options);
  // Twilio's forms are flat, and repeat a name for each of its values.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, body: string) => new URLSearchParams(body),
  );
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: unknown, body: string) =>
    body === '' ? {} : (JSON.parse(body) as unknown),
  );
  const expected = `Basic ${Buffer.from(`${options.accountSid}:${options.authToken}`).toString('base64')}`;
  fastify.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization !== expected) await fail(reply, 401, 20003, 'Authenticate');
  });
  fastify.addHook('onClose', async () => exchange.close());
  serveCalls(fastify, exchange);
  serveControls(fastify, exchange, options.inboundUrl);
}
