import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Metadata } from '../metadata/metadata.js';
import { Records } from './resources/records.js';
import { ValidationError } from '../errors/errors.js';
import { ParseIdPipe } from './parse-id.pipe.js';
import { notPermittedErrors, parseQuery } from './list-request.js';

/** Marks a route that accepts query parameters and validates them itself. */
export const AcceptsQuery = Reflector.createDecorator<boolean>();

/**
 * Rejects query parameters on routes that accept none, because they would be ignored silently. An unknown id in the
 * path takes precedence and is 404. (The first part of a path is the name of a table.)
 */
@Injectable()
export class NoQueryGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly records: Records,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (this.reflector.get(AcceptsQuery, context.getHandler())) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest<{ Params: { id?: string } }>>();
    const query = parseQuery(request);
    return Object.keys(query).length === 0 || this.reject(query, request.routeOptions.url, request.params.id);
  }

  private async reject(query: Metadata, route = '', id = ''): Promise<boolean> {
    const table = /^\/api\/(\w+)\/:id/.exec(route)?.[1];
    if (table) await this.records.assertExists({ name: table }, new ParseIdPipe().transform(id));
    throw new ValidationError(notPermittedErrors(query));
  }
}
