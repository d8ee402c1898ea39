import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../errors/errors.js';

/**
 * Rejects requests to unknown paths with 404 before their body is read. A plugin with a prefix handles unknown paths
 * under that prefix itself.
 */
export function rejectUnknownRoutes(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) =>
    done(request.is404 && request.server === fastify ? new NotFoundError() : undefined),
  );
}
