import type { FastifyInstance } from 'fastify';
import { InvalidSignatureError, UnsupportedMediaTypeError } from '../errors/errors.js';
import { mediaTypeOf } from '../server/media-type.js';
import { keepsRawBody } from '../server/request-bodies.js';
import { looksSigned } from './signature.js';

/**
 * Refuses a webhook that nobody can have signed before its body is read. It takes no place among the webhooks that are
 * worked on: anybody can send as many as they like.
 */
export function rejectUnsignedWebhooks(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!keepsRawBody(request)) return done();
    if (!looksSigned(request.headers['x-twilio-signature'])) return done(new InvalidSignatureError());
    done(mediaTypeOf(request.headers) === 'multipart/form-data' ? new UnsupportedMediaTypeError() : undefined);
  });
}
