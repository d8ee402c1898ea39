import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Metadata } from '../metadata/metadata.js';
import { Records } from './resources/records.js';
import { ValidationError } from '../errors/errors.js';
import { Id } from './id.pipe.js';
import { notPermitted, queryOf } from './list-request.js';

/** On a route: it reads the query itself. */
export const ReadsQuery = Reflector.createDecorator<boolean>();

/**
 * Refuses parameters in the URL of a route that takes none: they would be ignored in silence. That the path names no
 * record comes first. (The first part of a path is the name of a table.)
 */
@Injectable()
export class StrayQueryGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly records: Records,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (this.reflector.get(ReadsQuery, context.getHandler())) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest<{ Params: { id?: string } }>>();
    const query = queryOf(request);
    return Object.keys(query).length === 0 || this.refuse(query, request.routeOptions.url, request.params.id);
  }

  private async refuse(query: Metadata, route = '', id = ''): Promise<boolean> {
    const table = /^\/api\/(\w+)\/:id/.exec(route)?.[1];
    if (table) await this.records.mustExist({ name: table }, new Id().transform(id));
    throw new ValidationError(notPermitted(query));
  }
}
