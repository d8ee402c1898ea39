import type { FastifyInstance } from 'fastify';
import { NotFound } from './errors.js';

/** Answers 404 to a path that is no route before its body is read: the body may be anything, and nobody is going to use it. */
export function refuseUnknownRoutes(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => done(request.is404 ? new NotFound() : undefined));
}
