import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';

/**
 * Adds an `ETag` to records and lists. Responds with 304 and no body when `If-None-Match` has that tag. The comparison
 * is weak (RFC 9110, section 13.1.2).
 */
export function enableConditionalRequests(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return done(null, payload);
    if (!request.url.startsWith('/api/')) return done(null, payload);
    const tag = `"${createHash('md5').update(payload).digest('hex')}"`;
    reply.header('ETag', `W/${tag}`);
    if (!matchesTag(request.headers['if-none-match'], tag)) return done(null, payload);
    reply.status(304).removeHeader('Content-Type').removeHeader('Content-Length');
    done(null, null);
  });
}

/** @returns whether an `If-None-Match` header lists a tag, or is `*` */
function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}
