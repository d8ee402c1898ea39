import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger, FastifyHttpOptions, FastifyReply } from 'fastify';
import type { Server } from 'node:http';
import { type TrustProxyFunction, clientBaseUrl } from '../server/forwarded-headers.js';
import { BadRequestError } from '../errors/errors.js';
import { CsvResponse } from './csv-response.js';
import { Page, linkHeader } from './pagination.js';
import { entityTag } from '../server/conditional-requests.js';
import { ExtendRouteConfig } from '../server/route-config.js';
import { TaggedResponse } from './tagged-response.js';
import { XmlResponse } from './xml-response.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The plural of the resource in the `Location` header. */
    location?: string;
  }
}

/** The largest page (bytes). Concurrent requests for large pages must not exhaust the memory. */
const MAX_PAGE_BYTES = 16 * 2 ** 20;
const PAGE_TOO_LARGE = 'the page is larger than 16 MiB: ask for fewer rows by per_page';

/** Adds a `Location` header to the response: `/api/<plural>/<id>`, with the id in the body. */
export const LocationHeader = (plural: string): MethodDecorator => ExtendRouteConfig({ location: plural });

/**
 * Adds headers to responses: `Per-Page`, `Total`, `Left-Out` and `Link` for a page, `Location` for a new record,
 * `Content-Disposition` for a file, `ETag` for a body with the time. An interceptor could do the same, but adds an
 * observable to each request.
 */
export class ResponseHeadersAdapter extends FastifyAdapter {
  /**
   * @param publicUrl the base URL of links; without it, they use the base URL that the client used
   * @param trustProxy decides whose forwarded headers are trusted
   */
  constructor(
    options: FastifyHttpOptions<Server, FastifyBaseLogger>,
    private readonly publicUrl: string | undefined,
    private readonly trustProxy: TrustProxyFunction,
  ) {
    super(options);
  }

  override reply(...[reply, result, status]: Parameters<FastifyAdapter['reply']>): FastifyReply {
    return super.reply(reply, this.prepareBody(reply as FastifyReply, result), status);
  }

  /** Sets the headers for the result of a route. @returns the body to send */
  private prepareBody(reply: FastifyReply, result: unknown): unknown {
    if (result instanceof XmlResponse) {
      reply.header('Location', result.location).type('application/xml; charset=utf-8');
      return result.document;
    }
    if (result instanceof CsvResponse) {
      reply.header('Content-Disposition', `attachment; filename="${result.filename}"`).type('text/csv; charset=utf-8');
      return result.text;
    }
    if (result instanceof TaggedResponse) {
      reply.header('ETag', entityTag(JSON.stringify(result.tagged)));
      return result.body;
    }
    const { location } = reply.routeOptions.config;
    if (location) reply.header('Location', `/api/${location}/${(result as { id: number }).id}`);
    if (!(result instanceof Page)) return result;
    const { request } = reply;
    const link = linkHeader(
      result,
      `${this.publicUrl ?? clientBaseUrl(request, this.trustProxy)}${request.originalUrl}`,
    );
    reply.headers({
      'Per-Page': result.perPage,
      ...(result.total !== undefined && { Total: result.total }),
      ...(result.leftOut !== undefined && { 'Left-Out': result.leftOut }),
      ...(link && { Link: link }),
    });
    // The page is serialized here, so that its size is known and it is serialized only once.
    const text = JSON.stringify(result.rows);
    if (Buffer.byteLength(text) > MAX_PAGE_BYTES) throw new BadRequestError(PAGE_TOO_LARGE);
    reply.type('application/json; charset=utf-8');
    return text;
  }
}
