import { randomUUID } from 'node:crypto';
import type { FastifyHttpOptions } from 'fastify';
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { TitleCaseResponse } from './title-case-response.js';

/** How long a client may take to send the head of a request (ms). */
const MAX_HEADERS_TIMEOUT = 15_000;
/** How often the server looks for requests that exceed a timeout (ms). */
const TIMEOUT_CHECK_INTERVAL = 1_000;
/** How long a connection in use may be idle in both directions (ms): longer than any response takes. */
const IDLE_TIMEOUT = 180_000;
/**
 * How long a connection is kept open for the next request (ms): longer than the minute that is usual for load
 * balancers.
 */
const KEEP_ALIVE_TIMEOUT = 72_000;

/**
 * Timeouts for slow and idle clients, and the format of responses to malformed requests.
 * @returns options of Fastify
 */
export function connectionOptions({ requestTimeout }: Pick<Config, 'requestTimeout'>) {
  const timeout = requestTimeout * 1_000;
  return {
    requestTimeout: timeout,
    connectionTimeout: IDLE_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    http: {
      headersTimeout: Math.min(MAX_HEADERS_TIMEOUT, timeout),
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL,
      ServerResponse: TitleCaseResponse,
    },
    clientErrorHandler: respondToClientError,
  } satisfies FastifyHttpOptions<Server>;
}

/** Connections in addition to those of accepted requests: for rejected requests, and for idle connections. */
const EXTRA_CONNECTIONS = 4_096;

/** @returns the most open connections of the process */
export function maxConnections({ maxRequests, maxWebhooks }: Pick<Config, 'maxRequests' | 'maxWebhooks'>): number {
  return maxRequests + maxWebhooks + EXTRA_CONNECTIONS;
}

/** The responses to errors of Node.js's HTTP parser, by error code. */
const CLIENT_ERRORS: Readonly<Record<string, [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is too large'],
};

/** Responds to input that is not a complete HTTP request, in the JSON format of all other errors. */
function respondToClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, message] = CLIENT_ERRORS[error.code ?? ''] ?? [400, 'this is not HTTP'];
  const body = JSON.stringify({ status, error: STATUS_CODES[status], message });
  if (socket.writable) {
    socket.write(
      [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        'Connection: close',
        `X-Request-Id: ${randomUUID()}`,
        'Content-Type: application/json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }
  socket.destroy(error);
}
