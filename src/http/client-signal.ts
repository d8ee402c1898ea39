import type { FastifyInstance } from 'fastify';
import { requestContext } from '../database/request-context.js';

/** Tells the database when a client leaves before it has its answer, so that it need not go on for nobody. */
export function followClients(fastify: FastifyInstance): void {
  fastify.addHook('preHandler', (_request, reply, done) => {
    const controller = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) controller.abort();
    });
    requestContext.run({ signal: controller.signal }, done);
  });
}
