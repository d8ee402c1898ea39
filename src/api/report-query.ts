import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PendingResponse } from '../database/read-deadline.js';
import { parseQuery } from './list-request.js';

/** The request for a report on one record. */
export interface ReportRequest {
  /** The query parameters, not yet validated. */
  parameters: Record<string, unknown>;
  /** The response for which the report is read. Reading stops when it closes. */
  answer: PendingResponse;
}

/** Injects the report request in the query of a route. */
export const ReportQuery = createParamDecorator((_: unknown, context: ExecutionContext): ReportRequest => {
  const http = context.switchToHttp();
  return { parameters: parseQuery(http.getRequest<FastifyRequest>()), answer: http.getResponse<FastifyReply>().raw };
});
