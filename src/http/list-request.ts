import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type FieldErrors, Unreadable, messages, refuseIfAny } from './errors.js';
import { decodeParameters, nestParameters } from './nested-parameters.js';
import { storable } from './storable.js';

export const DEFAULT_PER_PAGE = 25;
export const MAX_PER_PAGE = 1000;

/** What a list is asked for: a page of the rows that some filters leave. */
export interface ListRequest {
  page: number;
  perPage: number;
  /** `q[…]`, unread. */
  filters: unknown;
}

/** The list request in a route's query. */
export const Listing = createParamDecorator((_: unknown, context: ExecutionContext): ListRequest => {
  const { page, per_page: perPage, q, ...others } = queryOf(context.switchToHttp().getRequest<FastifyRequest>());
  refuseQuery(others);
  return {
    page: positive('page', page, 1),
    perPage: Math.min(positive('per_page', perPage, DEFAULT_PER_PAGE), MAX_PER_PAGE),
    filters: q,
  };
});

/** The parameters in a request's URL, nested by their brackets. */
export function queryOf(request: FastifyRequest): Record<string, unknown> {
  const at = request.url.indexOf('?');
  return at < 0 ? {} : storable(nestParameters(decodeParameters(request.url.slice(at + 1))));
}

/** @throws Invalid if there is any parameter: none of `parameters` is one that the route knows. */
export function refuseQuery(parameters: Record<string, unknown>): void {
  const errors: FieldErrors = {};
  for (const name of Object.keys(parameters)) errors[name] = [messages.notPermitted];
  refuseIfAny(errors);
}

function positive(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^0*[1-9]\d*$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw new Unreadable(`${name} must be a positive integer`);
  return number;
}
