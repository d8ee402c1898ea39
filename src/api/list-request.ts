import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PendingResponse } from '../database/read-deadline.js';
import { assertStorable } from '../server/assert-storable.js';
import { type FieldErrors, BadRequestError, messages } from '../errors/errors.js';
import { decodeParameters, nestParameters } from '../server/nested-parameters.js';

export const DEFAULT_PER_PAGE = 25;
export const MAX_PER_PAGE = 1000;

/** What a list is asked for: a page of the rows that some filters leave. */
export interface ListRequest {
  page: number;
  perPage: number;
  /** In place of a page: the rows that follow this id. */
  afterId?: number;
  /** `q[…]`, unread. */
  filters: unknown;
  /** Errors of unknown parameters. A list that does not exist is 404 before they count. */
  errors: FieldErrors;
  /** The answer that the list is for. */
  answer: PendingResponse;
}

/** The list request in a route's query. */
export const Listing = createParamDecorator((_: unknown, context: ExecutionContext): ListRequest => {
  const { page, ...query } = queryOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (page !== undefined && query.after_id !== undefined)
    throw new BadRequestError('page and after_id exclude each other');
  return { page: positive('page', page) ?? 1, ...listRequest(query, context) };
});

/** The request of a list whose pages have no numbers: without `after_id` it begins at the first row. */
export const KeysetListing = createParamDecorator((_: unknown, context: ExecutionContext): ListRequest => {
  const query = queryOf(context.switchToHttp().getRequest<FastifyRequest>());
  return { page: 1, ...listRequest({ after_id: '0', ...query }, context) };
});

function listRequest(query: Record<string, unknown>, context: ExecutionContext): Omit<ListRequest, 'page'> {
  const { per_page: perPage, after_id: afterId, q, ...others } = query;
  return {
    perPage: Math.min(positive('per_page', perPage) ?? DEFAULT_PER_PAGE, MAX_PER_PAGE),
    afterId: whole('after_id', afterId, 'must be a whole number, 0 or more'),
    filters: q,
    errors: notPermitted(others),
    answer: context.switchToHttp().getResponse<FastifyReply>().raw,
  };
}

/** The parameters in a request's URL, nested by their brackets. */
export function queryOf(request: FastifyRequest): Record<string, unknown> {
  const at = request.url.indexOf('?');
  if (at < 0) return {};
  const query = nestParameters(decodeParameters(request.url.slice(at + 1)), { repeated: 'refused' });
  assertStorable(query);
  return query;
}

/** An error for each parameter of a route that takes none of them. */
export function notPermitted(parameters: Record<string, unknown>): FieldErrors {
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, [messages.notPermitted]]));
}

function positive(name: string, value: unknown): number | undefined {
  const rule = 'must be a positive integer';
  const number = whole(name, value, rule);
  if (number === 0) throw new BadRequestError(`${name} ${rule}`);
  return number;
}

function whole(name: string, value: unknown, rule: string): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw new BadRequestError(`${name} ${rule}`);
  return number;
}
