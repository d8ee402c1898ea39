import type { FastifyInstance } from 'fastify';
import { NotFound } from './errors.js';

/**
 * Answers 404 to a path that is no route before its body is read: the body may be anything, and nobody is going to use it.
 * A plugin that has a prefix of its own answers for the paths below it.
 */
export function refuseUnknownRoutes(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) =>
    done(request.is404 && request.server === fastify ? new NotFound() : undefined),
  );
}
