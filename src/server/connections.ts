import { randomUUID } from 'node:crypto';
import type { FastifyHttpOptions } from 'fastify';
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { TitleCaseResponse } from './title-case-response.js';

/** The longest that a request's head may take, in milliseconds. */
const MAX_HEADERS_TIMEOUT = 15_000;
/** How often it is looked for requests that take too long, in milliseconds. */
const TIMEOUT_CHECK_INTERVAL = 1_000;
/** How long a connection may be silent in both directions while it is in use, in milliseconds: longer than any answer takes. */
const IDLE_TIMEOUT = 180_000;
/** How long a connection is kept for a next request, in milliseconds: longer than load balancers keep theirs, which is a minute. */
const KEEP_ALIVE_TIMEOUT = 72_000;

/** Fastify's settings of connections: how long a slow or silent client may hold one, and what answers over it look like. */
export function connectionOptions({ requestTimeout }: Pick<Config, 'requestTimeout'>) {
  const whole = requestTimeout * 1_000;
  return {
    requestTimeout: whole,
    connectionTimeout: IDLE_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    http: {
      headersTimeout: Math.min(MAX_HEADERS_TIMEOUT, whole),
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL,
      ServerResponse: TitleCaseResponse,
    },
    clientErrorHandler: respondToClientError,
  } satisfies FastifyHttpOptions<Server>;
}

/** Connections beyond those of requests that may be worked on: for answering that they are too many, and for those that are kept. */
const EXTRA_CONNECTIONS = 4_096;

/** Open connections at the most. */
export function maxConnections({ maxRequests, maxWebhooks }: Pick<Config, 'maxRequests' | 'maxWebhooks'>): number {
  return maxRequests + maxWebhooks + EXTRA_CONNECTIONS;
}

const CLIENT_ERRORS: Readonly<Record<string, [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is too large'],
};

/** Answers, in the contract's shape, what did not become a request. */
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
