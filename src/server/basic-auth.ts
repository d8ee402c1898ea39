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
      const known = [equalsInConstantTime(user, expected.user), equalsInConstantTime(password, expected.password)];
      if (known.includes(false)) throw Object.assign(new Error('Unauthorized'), { statusCode: 401 });
    },
  });
  const guesses = new GuessLimiter();
  fastify.addHook('onRequest', (request, reply, done) => {
    if (isPublic(request)) return done();
    if (!guesses.isAllowed(request, reply)) {
      return done(Object.assign(new Error(TOO_MANY_WRONG_CREDENTIALS), { statusCode: 429 }));
    }
    fastify.basicAuth(request, reply, (error) => {
      if (error) guesses.recordWrongGuess(request);
      done(error);
    });
  });
}

/** What a sender of too many wrong credentials is told, with 429. */
export const TOO_MANY_WRONG_CREDENTIALS = 'there were too many wrong credentials from this address';

/** Limits the guesses at one secret by the address that sends them. A request without credentials is no guess. */
export class GuessLimiter {
  private readonly wrongCredentials = new WrongCredentials();

  /**
   * Sets `Retry-After` where the result is false.
   * @returns whether the credentials of a request may be checked. After too many wrong ones even the right ones are
   *   refused: otherwise the answer would tell them apart.
   */
  isAllowed(request: FastifyRequest, reply: FastifyReply): boolean {
    if (request.headers.authorization === undefined) return true;
    const retryAfter = this.wrongCredentials.retryAfter(clientAddressOf(request));
    if (retryAfter > 0) void reply.header('Retry-After', retryAfter);
    return retryAfter === 0;
  }

  /** Counts the wrong credentials of a request. Logs the address when it may send no more. */
  recordWrongGuess(request: FastifyRequest): void {
    if (request.headers.authorization === undefined) return;
    const ip = clientAddressOf(request);
    if (!this.wrongCredentials.add(ip)) return;
    request.log.warn({ ip }, 'ten wrong credentials within a minute: this address is refused until the minute is over');
  }
}

/** Who sends a request: what a trusted proxy says, unless that is no address. */
function clientAddressOf({ ip, socket }: FastifyRequest): string {
  return ipaddr.isValid(ip) ? ip : (socket.remoteAddress ?? '::');
}

/** Compares in a time that tells nothing of either text. */
export function equalsInConstantTime(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
