import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger, FastifyHttpOptions, FastifyReply } from 'fastify';
import type { Server } from 'node:http';
import { type TrustProxyFunction, clientBaseUrl } from '../server/forwarded-headers.js';
import { BadRequestError } from '../errors/errors.js';
import { Page, linkHeader } from './pagination.js';
import { ExtendRouteConfig } from '../server/route-config.js';
import { XmlResponse } from './xml-response.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The plural of the resource in the `Location` header. */
    location?: string;
  }
}

/** How long a page may be, in bytes: a crowd that asks for the longest must not fill the memory. */
const MAX_PAGE_BYTES = 16 * 2 ** 20;
const PAGE_TOO_LARGE = 'the page is larger than 16 MiB: ask for fewer rows by per_page';

/** The response has a `Location` header: `/api/<plural>/<id>`, with the id in its body. */
export const LocationHeader = (plural: string): MethodDecorator => ExtendRouteConfig({ location: plural });

/**
 * Adds headers to responses: `Per-Page`, `Total`, `Left-Out` and `Link` for a page, `Location` for a new record. An
 * interceptor would do the same, but it adds an observable to each request.
 */
export class ResponseHeadersAdapter extends FastifyAdapter {
  /**
   * @param publicUrl the base URL of links; without it they begin with the address that the client used
   * @param trustProxy decides whose forwarded headers are trusted
   */
  constructor(
    options: FastifyHttpOptions<Server, FastifyBaseLogger>,
    private readonly publicUrl: string | undefined,
    private readonly trustProxy: TrustProxyFunction,
  ) {
    super(options);
  }

  override reply(...[reply, answer, status]: Parameters<FastifyAdapter['reply']>): FastifyReply {
    return super.reply(reply, this.bodyOf(reply as FastifyReply, answer), status);
  }

  private bodyOf(reply: FastifyReply, answer: unknown): unknown {
    if (answer instanceof XmlResponse) {
      reply.header('Location', answer.location).type('application/xml; charset=utf-8');
      return answer.document;
    }
    const { location } = reply.routeOptions.config;
    if (location) reply.header('Location', `/api/${location}/${(answer as { id: number }).id}`);
    if (!(answer instanceof Page)) return answer;
    const { request } = reply;
    const link = linkHeader(
      answer,
      `${this.publicUrl ?? clientBaseUrl(request, this.trustProxy)}${request.originalUrl}`,
    );
    reply.headers({
      'Per-Page': answer.perPage,
      ...(answer.total !== undefined && { Total: answer.total }),
      ...(answer.leftOut !== undefined && { 'Left-Out': answer.leftOut }),
      ...(link && { Link: link }),
    });
    // The text is the answer, so that its size is known without making it twice.
    const text = JSON.stringify(answer.rows);
    if (Buffer.byteLength(text) > MAX_PAGE_BYTES) throw new BadRequestError(PAGE_TOO_LARGE);
    reply.type('application/json; charset=utf-8');
    return text;
  }
}
