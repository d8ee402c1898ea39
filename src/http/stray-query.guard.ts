import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { queryOf, refuseQuery } from './list-request.js';

/** On a route: it reads the query itself. */
export const ReadsQuery = Reflector.createDecorator<boolean>();

/** Refuses parameters in the URL of a route that takes none: they would be ignored in silence. */
@Injectable()
export class StrayQueryGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (!this.reflector.get(ReadsQuery, context.getHandler())) {
      refuseQuery(queryOf(context.switchToHttp().getRequest<FastifyRequest>()));
    }
    return true;
  }
}
