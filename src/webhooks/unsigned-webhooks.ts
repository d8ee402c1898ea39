import type { FastifyInstance } from 'fastify';
import { InvalidSignatureError, UnsupportedMediaTypeError } from '../errors/errors.js';
import { mediaTypeOf } from '../server/media-type.js';
import { hasRawBody } from '../server/request-bodies.js';
import { looksSigned } from './signature.js';

/**
 * Rejects webhooks without a well-formed signature before their bodies are read. They do not count against the limit of
 * concurrent webhooks, so unauthenticated clients cannot use it up.
 */
export function rejectUnsignedWebhooks(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!hasRawBody(request)) return done();
    if (!looksSigned(request.headers['x-twilio-signature'])) return done(new InvalidSignatureError());
    done(mediaTypeOf(request.headers) === 'multipart/form-data' ? new UnsupportedMediaTypeError() : undefined);
  });
}
