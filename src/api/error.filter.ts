import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { ClientDisconnectedError, ReadTimeoutError } from '../database/read-deadline.js';
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

/** When a client may try again after the database was unavailable (s). */
const OUTAGE_RETRY_AFTER_SECONDS = 5;

/** The status that nginx logs for such requests. Source: https://nginx.org/en/docs/http/ngx_http_core_module.html */
const CLIENT_CLOSED_REQUEST = 499;

/** Converts every error of a Nest route to its response. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendError(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Sends the response to an error. Logs the error if the client did not cause it. */
export function sendError(error: unknown, { log }: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof UnusableWebhookError) {
    const document = `<?xml version="1.0" encoding="UTF-8"?><errors><error>${escapeXml(error.message)}</error></errors>`;
    log.warn(`a webhook was rejected: ${error.message}`);
    void reply.status(422).type('application/xml; charset=utf-8').send(document);
    return;
  }
  const { status, body, retryAfter } = responseTo(error);
  if (status >= 500 && !isHealthReport(body) && !(error instanceof ServiceUnavailableError)) {
    log.error({ err: loggableError(error) }, 'request failed');
  }
  // The response may have been sent before the error occurred.
  if (reply.sent) return;
  if (retryAfter !== undefined) void reply.header('Retry-After', retryAfter);
  void reply.status(status).type('application/json; charset=utf-8').send(body);
}

interface ErrorResponse {
  status: number;
  body: unknown;
  /** When the client may try again (s). */
  retryAfter?: number;
}

function responseTo(error: unknown): ErrorResponse {
  if (error instanceof ValidationError) return { status: 422, body: { errors: error.errors } };
  if (error instanceof NotFoundError) return httpError(404);
  if (error instanceof InvalidSignatureError) return httpError(403, 'the signature is not right');
  if (error instanceof UnsupportedMediaTypeError)
    return httpError(415, error.message || 'the media type is not accepted here');
  if (error instanceof BadRequestError) return httpError(400, error.message);
  if (error instanceof ServiceUnavailableError) return unavailableResponse(error);
  if (error instanceof ReadTimeoutError) return unavailableResponse(readTimeoutError(error));
  // The client has disconnected; the status is for the log.
  if (error instanceof ClientDisconnectedError) return httpError(CLIENT_CLOSED_REQUEST);
  if (isDatabaseUnavailable(error))
    return unavailableResponse(
      new ServiceUnavailableError('the database cannot be used now', OUTAGE_RETRY_AFTER_SECONDS),
    );
  if (error instanceof FilterError) return httpError(400, `q[${error.filter}] ${error.reason}`);
  if (error instanceof HttpException) {
    if (isHealthReport(error.getResponse())) return { status: error.getStatus(), body: error.getResponse() };
    return httpError(error.getStatus(), error.message);
  }
  const status = Number((error as { statusCode?: unknown } | undefined)?.statusCode);
  return status >= 400 && status < 500 ? httpError(status, (error as Error).message) : httpError(500);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function readTimeoutError({ seconds }: ReadTimeoutError): ServiceUnavailableError {
  return new ServiceUnavailableError(
    `the list took longer than READ_TIMEOUT (${seconds} s): narrow it by its filters, or walk it with after_id`,
    OUTAGE_RETRY_AFTER_SECONDS,
  );
}

function unavailableResponse({ message, retryAfter }: ServiceUnavailableError): ErrorResponse {
  return { status: 503, body: { status: 503, error: STATUS_CODES[503], message }, retryAfter };
}

/** @returns the response to an error that concerns no field; 401, 404 and 5xx have no message */
function httpError(status: number, message?: string): ErrorResponse {
  const hasNoMessage = status === 401 || status === 404 || status >= 500;
  return { status, body: { status, error: STATUS_CODES[status], ...(!hasNoMessage && message && { message }) } };
}

/** @returns whether a body is the report that @nestjs/terminus throws when a health check fails */
function isHealthReport(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'error' && 'details' in body;
}
