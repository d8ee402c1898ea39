import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';

/** @returns the weak `ETag` of a body */
export function entityTag(body: string): string {
  return `W/"${createHash('md5').update(body).digest('hex')}"`;
}

/**
 * Adds an `ETag` to records, lists and reports, unless the response has its own. Responds with 304 and no body when
 * `If-None-Match` has that tag. The comparison is weak (RFC 9110, section 13.1.2).
 */
export function enableConditionalRequests(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!['GET', 'HEAD'].includes(request.method)) return done(null, payload);
    if (reply.statusCode !== 200 || typeof payload !== 'string') return done(null, payload);
    if (!request.url.startsWith('/api/')) return done(null, payload);
    const own = reply.getHeader('ETag');
    const tag = typeof own === 'string' ? own : entityTag(payload);
    reply.header('ETag', tag);
    if (!matchesTag(request.headers['if-none-match'], tag)) return done(null, payload);
    reply.status(304).removeHeader('Content-Type').removeHeader('Content-Length');
    done(null, null);
  });
}

/** @returns whether an `If-None-Match` header lists a weak tag, or is `*` */
function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((one) => `W/${one.trim().replace(/^W\//, '')}` === tag);
}
