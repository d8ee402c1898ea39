import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import twilio from 'twilio';
import { type AllowedOrigins, ForbiddenUrlError } from './allowed-origins.js';
import { type Faults, struck } from './faults.js';
import type { CallbackFault } from './outcomes.js';

/** Source: https://www.twilio.com/docs/usage/webhooks: all of a webhook's time, in milliseconds. */
const PATIENCE = 15_000;

type Parameters = Record<string, string>;

interface Surroundings {
  authToken: string;
  seed: number;
  /** Every URL that is asked for is checked here. */
  origins: AllowedOrigins;
  log: FastifyBaseLogger;
  faults: () => Faults;
  /** The fault that the number of a call forces on its callbacks. */
  forced: (sid: string) => CallbackFault | undefined;
  /** Lets simulated seconds pass. */
  wait: (seconds: number) => Promise<void>;
}

/** A status callback of a call. */
export interface StatusCallback {
  sid: string;
  url: string;
  parameters: Parameters;
  /** No other callback of this call comes after it. */
  isLast: boolean;
  /** Is told when the URL is one that may not be fetched. */
  onForbidden: (error: ForbiddenUrlError) => void;
}

/** What the simulator tells and asks the program that had it call: signed, as Twilio does. */
export class Webhooks {
  sent = 0;
  failed = 0;
  /** For each call, the callbacks that wait for a later one to overtake them. */
  private readonly overtaken = new Map<string, Parameters[]>();
  private readonly tails = new Map<string, Promise<unknown>>();

  constructor(private readonly surroundings: Surroundings) {}

  /** Sends a status callback; those of one call follow one another. */
  send(event: StatusCallback): void {
    const { sid, parameters, isLast } = event;
    const { seed, faults, forced, wait } = this.surroundings;
    const words = [seed, parameters.To ?? '', parameters.SequenceNumber ?? '', 'callback'];
    const fault = forced(sid) ?? struck(faults().callbacks, ...words);
    if (fault === 'lost') {
      if (isLast) this.forget(sid);
      return;
    }
    const waiting = this.overtaken.get(sid) ?? [];
    this.overtaken.delete(sid);
    if (fault === 'reordered' && !isLast) {
      this.overtaken.set(sid, [parameters, ...waiting]);
      return;
    }
    const deliveries = [parameters, ...waiting].flatMap((one) => {
      const token = randomUUID();
      return fault === 'doubled'
        ? [
            { one, token },
            { one, token },
          ]
        : [{ one, token }];
    });
    const before = fault === 'late' ? wait(30) : (this.tails.get(sid) ?? Promise.resolve());
    const delivered = before.then(async () => {
      for (const { one, token } of deliveries) await this.deliver(event, one, token);
    });
    this.tails.set(sid, delivered);
    if (isLast) void delivered.finally(() => this.forget(sid));
  }

  /** Of a call of which nothing more will be told. */
  private forget(sid: string): void {
    this.overtaken.delete(sid);
    this.tails.delete(sid);
  }

  /**
   * Asks for a TwiML document.
   * @throws Error when there is none
   */
  async ask(url: string, method: string, parameters: Parameters): Promise<string> {
    const response = await this.request(url, method, parameters, randomUUID());
    if (!response.ok) throw new Error(`11200 HTTP ${response.status} at ${url}`);
    return response.text();
  }

  private async deliver({ url, onForbidden }: StatusCallback, parameters: Parameters, token: string): Promise<void> {
    try {
      const response = await this.request(url, 'POST', parameters, token);
      await response.text();
      if (response.ok) this.sent++;
      else this.failed++;
    } catch (error) {
      this.failed++;
      if (error instanceof ForbiddenUrlError) onForbidden(error);
    }
  }

  /**
   * One more try when nobody is there to connect to, as Twilio's default is; none when the answer is bad or late. Redirects are not followed,
   * since they could lead anywhere.
   */
  private async request(url: string, method: string, parameters: Parameters, token: string): Promise<Response> {
    const address = new URL(url);
    await this.check(address);
    address.hash = '';
    const query = method.toUpperCase() === 'GET';
    if (query) for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    const body = query ? undefined : new URLSearchParams(parameters);
    const signature = twilio.getExpectedTwilioSignature(
      this.surroundings.authToken,
      address.href,
      query ? {} : parameters,
    );
    const headers = { 'X-Twilio-Signature': signature, 'I-Twilio-Idempotency-Token': token };
    const attempt = () =>
      fetch(address, {
        method: query ? 'GET' : 'POST',
        body,
        headers,
        redirect: 'manual',
        signal: AbortSignal.timeout(PATIENCE),
      });
    try {
      return await attempt();
    } catch (error) {
      if ((error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED') throw error;
      return attempt();
    }
  }

  /** @throws ForbiddenUrlError which the log has then, too */
  private async check(address: URL): Promise<void> {
    const { origins, log } = this.surroundings;
    await origins.check(address).catch((error: Error) => {
      log.warn(`The simulator does not fetch what it was given: ${error.message}`);
      throw error;
    });
  }
}
