import type { FastifyInstance } from 'fastify';
import type { Server, Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { ServiceUnavailableError } from '../errors/errors.js';

/** Must be answered most of all when the program is busy; and the simulator is no part of what is protected: it is the other side. */
const UNLIMITED = /^\/(health|simulator)\//;
const WEBHOOK = 'POST /api/remote_phone_call_events';

/** Seconds after which one that was refused may come again: a burst is over soon. */
const RETRY_AFTER_SECONDS = 1;
/**
 * Milliseconds for which nothing more is read from a connection on which a request was refused. Clients that come again at once would else
 * have us refuse most of the time, and hardly work on what was let in. Those of webhooks are read on: the provider does not insist.
 */
const PAUSE_AFTER_REJECTION = 250;
/** Milliseconds between two lines in the log that say that requests are being refused. */
const LOG_INTERVAL = 10_000;

declare module 'fastify' {
  interface FastifyRequest {
    admission?: Admission;
  }
}

type Limits = Pick<Config, 'maxRequests' | 'maxWebhooks'>;

/**
 * Bounds the requests that this process works on at once: what comes above that is refused at once, before its body is read. Webhooks have
 * a bound of their own, since the provider does not repeat them.
 */
export function limitRequests(fastify: FastifyInstance, { maxRequests, maxWebhooks }: Limits): void {
  const webhooks = new ConcurrencyLimit(maxWebhooks);
  const others = new ConcurrencyLimit(maxRequests);
  fastify.decorateRequest('admission');

  fastify.addHook('onRequest', (request, reply, done) => {
    const { url = '' } = request.routeOptions;
    if (UNLIMITED.test(url)) return done();
    const gate = `${request.method} ${url}` === WEBHOOK ? webhooks : others;
    if (!gate.tryAcquire()) {
      if (gate.shouldLogRejection())
        request.log.warn(`More than ${gate.max} requests at once: those above are refused`);
      if (gate === others)
        reply.raw.once('close', () => setImmediate(pauseReading, request.raw.socket, fastify.server));
      return done(new ServiceUnavailableError('there are too many requests at once', RETRY_AFTER_SECONDS));
    }
    const admission = new Admission(gate);
    request.admission = admission;
    // Whoever goes away while sending is gone; whoever goes away later leaves us the work.
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
 * Leaves what comes over a connection where it is, for a while. To be called once all that Node does at the end of an answer is done: it goes on
 * reading then. A server that is stopping does not wait for the rest of what was refused.
 */
function pauseReading(socket: Socket, server: Server): void {
  socket.pause();
  setTimeout(() => (server.listening ? socket.resume() : socket.destroySoon()), PAUSE_AFTER_REJECTION);
}

/** A request that was let in, until it has been answered. */
class Admission {
  hasReachedHandler = false;
  private hasEnded = false;

  constructor(private readonly limit: ConcurrencyLimit) {}

  end(): void {
    if (!this.hasEnded) this.limit.release();
    this.hasEnded = true;
  }
}

/** Lets in so many at once, and no more. */
class ConcurrencyLimit {
  private inUse = 0;
  private lastLoggedAt = -Infinity;

  constructor(readonly max: number) {}

  tryAcquire(): boolean {
    if (this.inUse >= this.max) return false;
    this.inUse++;
    return true;
  }

  release(): void {
    this.inUse--;
  }

  /** Whether it is to be said now that some were refused: once for a crowd. */
  shouldLogRejection(): boolean {
    const now = Date.now();
    const due = now - this.lastLoggedAt >= LOG_INTERVAL;
    if (due) this.lastLoggedAt = now;
    return due;
  }
}
