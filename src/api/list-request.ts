import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PendingResponse } from '../database/read-deadline.js';
import { assertStorable } from '../server/assert-storable.js';
import { type FieldErrors, BadRequestError, messages } from '../errors/errors.js';
import { decodeParameters, nestParameters } from '../server/nested-parameters.js';

export const DEFAULT_PER_PAGE = 25;
export const MAX_PER_PAGE = 1000;

/** The request for a page of a list, with filters. */
export interface ListRequest {
  page: number;
  perPage: number;
  /** Requests the rows after this id, instead of a page by its number. */
  afterId?: number;
  /** The value of `q[…]`, not yet validated. */
  filters: unknown;
  /** Errors for unknown parameters. They are thrown after the parent record is found, so an unknown id is 404. */
  errors: FieldErrors;
  /** The response for which the list is read. Reading stops when it closes. */
  answer: PendingResponse;
}

/** Injects the list request in the query of a route. */
export const ListQuery = createParamDecorator((_: unknown, context: ExecutionContext): ListRequest => {
  const { page, ...query } = parseQuery(context.switchToHttp().getRequest<FastifyRequest>());
  if (page !== undefined && query.after_id !== undefined)
    throw new BadRequestError('page and after_id exclude each other');
  return { page: parsePositiveInteger('page', page) ?? 1, ...parseListRequest(query, context) };
});

/** Injects the request for a list without page numbers. Without `after_id`, it begins at the first row. */
export const KeysetListQuery = createParamDecorator((_: unknown, context: ExecutionContext): ListRequest => {
  const query = parseQuery(context.switchToHttp().getRequest<FastifyRequest>());
  return { page: 1, ...parseListRequest({ after_id: '0', ...query }, context) };
});

function parseListRequest(query: Record<string, unknown>, context: ExecutionContext): Omit<ListRequest, 'page'> {
  const { per_page: perPage, after_id: afterId, q, ...others } = query;
  return {
    perPage: Math.min(parsePositiveInteger('per_page', perPage) ?? DEFAULT_PER_PAGE, MAX_PER_PAGE),
    afterId: parseInteger('after_id', afterId, 'must be a whole number, 0 or more'),
    filters: q,
    errors: notPermittedErrors(others),
    answer: context.switchToHttp().getResponse<FastifyReply>().raw,
  };
}

/**
 * Parses the query of a request, nested by the brackets in the names.
 * @throws BadRequestError when it cannot be parsed, or has a name twice
 */
export function parseQuery(request: FastifyRequest): Record<string, unknown> {
  const at = request.url.indexOf('?');
  if (at < 0) return {};
  const query = nestParameters(decodeParameters(request.url.slice(at + 1)), { repeated: 'reject' });
  assertStorable(query);
  return query;
}

/** @returns an error for each of the parameters, none of which is permitted */
export function notPermittedErrors(parameters: Record<string, unknown>): FieldErrors {
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, [messages.notPermitted]]));
}

function parsePositiveInteger(name: string, value: unknown): number | undefined {
  const rule = 'must be a positive integer';
  const number = parseInteger(name, value, rule);
  if (number === 0) throw new BadRequestError(`${name} ${rule}`);
  return number;
}

function parseInteger(name: string, value: unknown, rule: string): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw new BadRequestError(`${name} ${rule}`);
  return number;
}
