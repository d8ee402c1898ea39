import type { FastifyInstance } from 'fastify';
import { UnsupportedMediaTypeError } from '../errors/errors.js';

/**
 * Rejects compressed bodies with 415 before they are read. A few compressed bytes can expand to more than `BODY_LIMIT`.
 */
export function rejectEncodedBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ headers }, _reply, done) => {
    const codings = headers['content-encoding']?.split(',').map((coding) => coding.trim().toLowerCase()) ?? [];
    const isEncoded = codings.some((coding) => coding !== '' && coding !== 'identity');
    done(
      isEncoded
        ? new UnsupportedMediaTypeError('a body must not have a Content-Encoding other than identity')
        : undefined,
    );
  });
}
