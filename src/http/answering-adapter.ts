import { FastifyAdapter, RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger, FastifyHttpOptions, FastifyReply } from 'fastify';
import type { Server } from 'node:http';
import { type TrustsPeer, addressSeenBy } from './client-address.js';
import { BadRequestError } from '../errors/errors.js';
import { Page, linkHeader } from './pagination.js';
import { XmlAnswer } from './xml-answer.js';

/** How long a page may be, in bytes: a crowd that asks for the longest must not fill the memory. */
const MOST_PAGE_BYTES = 16 * 2 ** 20;
const PAGE_TOO_LARGE = 'the page is larger than 16 MiB: ask for fewer rows by per_page';

/** On a route: the plural that the `Location` of what it answers is made of. */
export const Locates = (plural: string): MethodDecorator => RouteConfig({ locates: plural });

/**
 * Gives what routes answer its headers: a page's `Per-Page`, `Total`, `Left-Out` and `Link`, a created record's `Location`. Here, where every
 * answer passes, it costs next to nothing; an interceptor would put an observable round each request.
 */
export class AnsweringAdapter extends FastifyAdapter {
  /**
   * @param publicUrl where the outside reaches us; without it links begin with the address that the client has
   * @param trusts whose forwarded headers are believed
   */
  constructor(
    options: FastifyHttpOptions<Server, FastifyBaseLogger>,
    private readonly publicUrl: string | undefined,
    private readonly trusts: TrustsPeer,
  ) {
    super(options);
  }

  override reply(...[reply, answer, status]: Parameters<FastifyAdapter['reply']>): FastifyReply {
    return super.reply(reply, this.bodyOf(reply as FastifyReply, answer), status);
  }

  private bodyOf(reply: FastifyReply, answer: unknown): unknown {
    if (answer instanceof XmlAnswer) {
      reply.header('Location', answer.location).type('application/xml; charset=utf-8');
      return answer.document;
    }
    const { locates } = reply.routeOptions.config as { locates?: string };
    if (locates) reply.header('Location', `/api/${locates}/${(answer as { id: number }).id}`);
    if (!(answer instanceof Page)) return answer;
    const { request } = reply;
    const link = linkHeader(answer, `${this.publicUrl ?? addressSeenBy(request, this.trusts)}${request.originalUrl}`);
    reply.headers({
      'Per-Page': answer.perPage,
      ...(answer.total !== undefined && { Total: answer.total }),
      ...(answer.leftOut !== undefined && { 'Left-Out': answer.leftOut }),
      ...(link && { Link: link }),
    });
    // The text is the answer, so that its size is known without making it twice.
    const text = JSON.stringify(answer.rows);
    if (Buffer.byteLength(text) > MOST_PAGE_BYTES) throw new BadRequestError(PAGE_TOO_LARGE);
    reply.type('application/json; charset=utf-8');
    return text;
  }
}
