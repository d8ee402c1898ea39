import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.js';

/**
 * What needs no password: whether the program is well; the provider's webhooks, which are signed; the calls API of the simulator, which has
 * an account of its own. The simulator's controls need the password like everything else.
 */
const OPEN = [
  /^GET \/health\/(live|ready)(\?|$)/,
  /^POST \/api\/remote_phone_call_events(\?|$)/,
  /^\w+ \/simulator\/2010-04-01\//,
];

/** Asks for the user and password of the configuration everywhere but at the health checks. */
export async function requireCredentials(
  fastify: FastifyInstance,
  expected: NonNullable<Config['basicAuth']>,
): Promise<void> {
  await fastify.register(basicAuth, {
    authenticate: { realm: 'scfm' },
    validate: async (user, password) => {
      const known = [same(user, expected.user), same(password, expected.password)];
      if (known.includes(false)) throw Object.assign(new Error('Unauthorized'), { statusCode: 401 });
    },
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (OPEN.some((open) => open.test(`${request.method} ${request.url}`))) done();
    else fastify.basicAuth(request, reply, done);
  });
}

/** Compares in a time that tells nothing of either text. */
export function same(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
