import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/config.js';
import { isPublic } from './public.js';
import { WrongCredentials } from './wrong-credentials.js';

/**
 * Requires the configured user and password for every request that is not public. They are checked before the body is
 * read.
 */
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
  const wrongCredentials = new WrongCredentials();
  fastify.addHook('onRequest', (request, reply, done) => {
    if (isPublic(request)) return done();
    // Who sends none has guessed nothing.
    if (request.headers.authorization === undefined) return fastify.basicAuth(request, reply, done);
    const ip = senderOf(request);
    const retryAfter = wrongCredentials.retryAfter(ip);
    // The right ones too: else guessing could go on.
    if (retryAfter > 0) return done(tooManyWrong(reply, retryAfter));
    fastify.basicAuth(request, reply, (error) => {
      if (error && wrongCredentials.add(ip))
        request.log.warn(
          { ip },
          'ten wrong credentials within a minute: this address is refused until the minute is over',
        );
      done(error);
    });
  });
}

/** Who sends a request: what a trusted proxy says, unless that is no address. */
function senderOf({ ip, socket }: FastifyRequest): string {
  return ipaddr.isValid(ip) ? ip : (socket.remoteAddress ?? '::');
}

function tooManyWrong(reply: FastifyReply, retryAfter: number): Error {
  void reply.header('Retry-After', retryAfter);
  return Object.assign(new Error('there were too many wrong credentials from this address'), { statusCode: 429 });
}

/** Compares in a time that tells nothing of either text. */
export function same(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
