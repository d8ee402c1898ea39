import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../errors/errors.js';

/**
 * Answers 404 to an unknown path before its body is read. A plugin with a prefix of its own answers for the paths below
 * that prefix.
 */
export function rejectUnknownRoutes(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) =>
    done(request.is404 && request.server === fastify ? new NotFoundError() : undefined),
  );
}
