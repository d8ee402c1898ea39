import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { isDatabaseUnavailable } from '../database/outage.js';
import { ClientGone, ReadTimedOut } from '../database/read-deadline.js';
import { FilterError } from './filters/filter.js';
import { loggableError } from '../logging/loggable-error.js';
import {
  InvalidSignatureError,
  ValidationError,
  NotFoundError,
  ServiceUnavailableError,
  BadRequestError,
  UnsupportedMediaTypeError,
  UnusableWebhookError,
} from '../errors/errors.js';

/** Seconds after which a database that is away may be back. */
const OUTAGE_RETRY_AFTER = 5;

/** As nginx has it in its log. Source: https://nginx.org/en/docs/http/ngx_http_core_module.html */
const CLIENT_CLOSED_REQUEST = 499;

/** Turns every error of a Nest route into its answer. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendError(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Sends the answer that the contract (section 2) has for an error, and logs what went wrong inside. */
export function sendError(error: unknown, { log }: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof UnusableWebhookError) {
    const document = `<?xml version="1.0" encoding="UTF-8"?><errors><error>${escaped(error.message)}</error></errors>`;
    log.warn(`a webhook was rejected: ${error.message}`);
    void reply.status(422).type('application/xml; charset=utf-8').send(document);
    return;
  }
  const { status, body, retryAfter } = answerTo(error);
  if (status >= 500 && !isHealthReport(body) && !(error instanceof ServiceUnavailableError)) {
    log.error({ err: loggableError(error) }, 'request failed');
  }
  // Errors can come from below Nest, before its reply is prepared.
  if (reply.sent) return;
  if (retryAfter !== undefined) void reply.header('Retry-After', retryAfter);
  void reply.status(status).type('application/json; charset=utf-8').send(body);
}

interface Answer {
  status: number;
  body: unknown;
  /** In seconds. */
  retryAfter?: number;
}

function answerTo(error: unknown): Answer {
  if (error instanceof ValidationError) return { status: 422, body: { errors: error.errors } };
  if (error instanceof NotFoundError) return failure(404);
  if (error instanceof InvalidSignatureError) return failure(403, 'the signature is not right');
  if (error instanceof UnsupportedMediaTypeError)
    return failure(415, error.message || 'the media type is not accepted here');
  if (error instanceof BadRequestError) return failure(400, error.message);
  if (error instanceof ServiceUnavailableError) return unavailable(error);
  if (error instanceof ReadTimedOut) return unavailable(tooLong(error));
  // Nobody reads this.
  if (error instanceof ClientGone) return failure(CLIENT_CLOSED_REQUEST);
  if (isDatabaseUnavailable(error))
    return unavailable(new ServiceUnavailableError('the database cannot be used now', OUTAGE_RETRY_AFTER));
  if (error instanceof FilterError) return failure(400, `q[${error.filter}] ${error.reason}`);
  if (error instanceof HttpException) {
    if (isHealthReport(error.getResponse())) return { status: error.getStatus(), body: error.getResponse() };
    return failure(error.getStatus(), error.message);
  }
  const status = Number((error as { statusCode?: unknown } | undefined)?.statusCode);
  return status >= 400 && status < 500 ? failure(status, (error as Error).message) : failure(500);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function tooLong({ seconds }: ReadTimedOut): ServiceUnavailableError {
  return new ServiceUnavailableError(
    `the list took longer than READ_TIMEOUT (${seconds} s): narrow it by its filters, or walk it with after_id`,
    OUTAGE_RETRY_AFTER,
  );
}

function unavailable({ message, retryAfter }: ServiceUnavailableError): Answer {
  return { status: 503, body: { status: 503, error: STATUS_CODES[503], message }, retryAfter };
}

/** The one shape of errors that name no field; 401, 404 and 500 carry no message. */
function failure(status: number, message?: string): Answer {
  const bare = status === 401 || status === 404 || status >= 500;
  return { status, body: { status, error: STATUS_CODES[status], ...(!bare && message && { message }) } };
}

/** What @nestjs/terminus throws when something is away: the report is the answer. */
function isHealthReport(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'error' && 'details' in body;
}
