import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, map } from 'rxjs';
import { Config } from '../config.js';
import { Page, linkHeader } from './pagination.js';
import { XmlAnswer } from './xml-answer.js';

/** On a route: the plural that the `Location` of what it answers is made of. */
export const Locates = Reflector.createDecorator<string>();

/** Gives answers their headers: a page's `Per-Page`, `Total`, `Left-Out` and `Link`, a created record's `Location`. */
@Injectable()
export class AnswersInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: Config,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const plural = this.reflector.get(Locates, context.getHandler());
    return next.handle().pipe(
      map((answer: unknown) => {
        if (answer instanceof XmlAnswer) {
          reply.header('Location', answer.location).type('application/xml; charset=utf-8');
          return answer.document;
        }
        if (plural) reply.header('Location', `/api/${plural}/${(answer as { id: number }).id}`);
        if (!(answer instanceof Page)) return answer;
        const request = context.switchToHttp().getRequest<FastifyRequest>();
        const origin = this.config.publicUrl ?? `${request.protocol}://${request.host}`;
        const link = linkHeader(answer, `${origin}${request.url}`);
        reply.headers({
          'Per-Page': answer.perPage,
          ...(answer.total !== undefined && { Total: answer.total }),
          ...(answer.leftOut !== undefined && { 'Left-Out': answer.leftOut }),
          ...(link && { Link: link }),
        });
        return answer.rows;
      }),
    );
  }
}
