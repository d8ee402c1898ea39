import type { FastifyInstance } from 'fastify';
import type { Server, Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { ServiceUnavailableError } from '../errors/errors.js';

/**
 * Health checks must work when the program is busy. The simulator stands in for the provider, which has no such limit.
 */
const UNLIMITED = /^\/(health|simulator)\//;
const WEBHOOK = 'POST /api/remote_phone_call_events';

/** When a client may repeat a rejected request (s). Bursts are short. */
const RETRY_AFTER_SECONDS = 1;
/**
 * How long nothing is read from a connection after a request on it was rejected (ms). Otherwise clients that retry at
 * once would keep the process busy with rejections. Connections for webhooks are exempt, because the provider does not
 * retry.
 */
const PAUSE_AFTER_REJECTION = 250;
/** The least time between two log lines about rejected requests (ms). */
const LOG_INTERVAL = 10_000;

declare module 'fastify' {
  interface FastifyRequest {
    admission?: Admission;
  }
}

type Limits = Pick<Config, 'maxRequests' | 'maxWebhooks'>;

/**
 * Limits how many requests the process handles at the same time. Further requests get 503 before their body is read.
 * Webhooks have a separate limit, because the provider does not repeat them.
 */
export function limitRequests(fastify: FastifyInstance, { maxRequests, maxWebhooks }: Limits): void {
  const webhooks = new ConcurrencyLimit(maxWebhooks);
  const others = new ConcurrencyLimit(maxRequests);
  fastify.decorateRequest('admission');

  fastify.addHook('onRequest', (request, reply, done) => {
    const { url = '' } = request.routeOptions;
    if (UNLIMITED.test(url)) return done();
    const limit = `${request.method} ${url}` === WEBHOOK ? webhooks : others;
    if (!limit.tryAcquire()) {
      if (limit.shouldLogRejection())
        request.log.warn(`More than ${limit.max} requests at once: further requests are refused`);
      if (limit === others)
        reply.raw.once('close', () => setImmediate(pauseReading, request.raw.socket, fastify.server));
      return done(new ServiceUnavailableError('there are too many requests at once', RETRY_AFTER_SECONDS));
    }
    const admission = new Admission(limit);
    request.admission = admission;
    // A client that disconnects while it sends the body frees its place. Later, the handler runs to its end regardless.
    reply.raw.once('close', () => {
      if (!admission.hasReachedHandler) admission.end();
    });
    done();
  });
  fastify.addHook('preHandler', ({ admission }, _reply, done) => {
    if (admission) admission.hasReachedHandler = true;
    done();
  });
  fastify.addHook('onSend', ({ admission }, _reply, _payload, done) => {
    admission?.end();
    done();
  });
}

/**
 * Stops reading from a connection for a while. Must be called after Node.js has finished the response, because it then
 * resumes the socket. A server that is shutting down closes the connection instead.
 */
function pauseReading(socket: Socket, server: Server): void {
  socket.pause();
  setTimeout(() => (server.listening ? socket.resume() : socket.destroySoon()), PAUSE_AFTER_REJECTION);
}

/** The place that a request occupies under a limit until its response is sent. */
class Admission {
  hasReachedHandler = false;
  private hasEnded = false;

  constructor(private readonly limit: ConcurrencyLimit) {}

  end(): void {
    if (!this.hasEnded) this.limit.release();
    this.hasEnded = true;
  }
}

/** Counts the requests in progress, up to a maximum. */
class ConcurrencyLimit {
  private inUse = 0;
  private lastLoggedAt = -Infinity;

  constructor(readonly max: number) {}

  /** @returns false when the limit is reached */
  tryAcquire(): boolean {
    if (this.inUse >= this.max) return false;
    this.inUse++;
    return true;
  }

  release(): void {
    this.inUse--;
  }

  /** @returns whether a rejection should be logged now: at most once in `LOG_INTERVAL` */
  shouldLogRejection(): boolean {
    const now = Date.now();
    const isDue = now - this.lastLoggedAt >= LOG_INTERVAL;
    if (isDue) this.lastLoggedAt = now;
    return isDue;
  }
}
