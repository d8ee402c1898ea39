import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.js';
import { equalsInConstantTime } from './constant-time.js';
import { GuessLimiter, TOO_MANY_WRONG_CREDENTIALS } from './guess-limiter.js';
import { isPublic } from './public.js';

/**
 * Requires the configured user and password for every request to a route that is not public. Credentials are checked
 * before the body is read. Requests without valid credentials get 401; addresses that send too many wrong ones get 429.
 */
export async function requireCredentials(
  fastify: FastifyInstance,
  expected: NonNullable<Config['basicAuth']>,
): Promise<void> {
  await fastify.register(basicAuth, {
    authenticate: { realm: 'scfm' },
    validate: async (user, password) => {
      // Both are compared in every case, so that the time does not show which one is wrong.
      const matches = [equalsInConstantTime(user, expected.user), equalsInConstantTime(password, expected.password)];
      if (matches.includes(false)) throw Object.assign(new Error('Unauthorized'), { statusCode: 401 });
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
