import type { FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { WrongCredentials } from './wrong-credentials.js';

/** The message of the 429 response to an address that sent too many wrong credentials. */
export const TOO_MANY_WRONG_CREDENTIALS = 'there were too many wrong credentials from this address';

/** Limits how often one address can guess a secret. A request without credentials is not a guess. */
export class GuessLimiter {
  private readonly wrongCredentials = new WrongCredentials();

  /**
   * Decides whether the credentials of a request may be checked. Sets `Retry-After` if they may not. After too many
   * wrong guesses, correct credentials are refused too: otherwise the response would reveal them.
   */
  isAllowed(request: FastifyRequest, reply: FastifyReply): boolean {
    if (request.headers.authorization === undefined) return true;
    const retryAfter = this.wrongCredentials.retryAfter(clientAddressOf(request));
    if (retryAfter > 0) void reply.header('Retry-After', retryAfter);
    return retryAfter === 0;
  }

  /** Counts the wrong credentials of a request. Logs the address when it reaches the limit. */
  recordWrongGuess(request: FastifyRequest): void {
    if (request.headers.authorization === undefined) return;
    const ip = clientAddressOf(request);
    if (!this.wrongCredentials.add(ip)) return;
    request.log.warn({ ip }, 'ten wrong credentials within a minute: this address is refused until the minute is over');
  }
}

/** @returns the client's address according to trusted proxies, or the peer's address when theirs is not valid */
function clientAddressOf({ ip, socket }: FastifyRequest): string {
  return ipaddr.isValid(ip) ? ip : (socket.remoteAddress ?? '::');
}
