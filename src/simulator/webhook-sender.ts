import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import twilio from 'twilio';
import { type AllowedOrigins, ForbiddenUrlError } from './allowed-origins.js';
import { type CallbackFault, type Faults, pickFault } from './faults.js';

/** How long a webhook may take (ms). Source: https://www.twilio.com/docs/usage/webhooks */
const WEBHOOK_TIMEOUT = 15_000;

/** How long a late callback is delayed (simulated seconds). */
const LATE_BY = 30;

type Parameters = Record<string, string>;

interface WebhookSenderOptions {
  /** Signs the webhooks. */
  authToken: string;
  seed: number;
  /** Every URL is checked against these before it is requested. */
  origins: AllowedOrigins;
  log: FastifyBaseLogger;
  faults: () => Faults;
  /** Returns the fault that the number of a call forces on its callbacks. */
  forcedFault: (sid: string) => CallbackFault | undefined;
  /** Resolves after so many simulated seconds. */
  wait: (seconds: number) => Promise<void>;
}

/** A status callback of a call. */
export interface StatusCallback {
  sid: string;
  url: string;
  parameters: Parameters;
  /** Whether it is the last callback of the call. */
  isLast: boolean;
  /** Called if the URL must not be requested. */
  onForbidden: (error: ForbiddenUrlError) => void;
}

/** Sends the webhooks of simulated calls, signed like Twilio's. */
export class WebhookSender {
  /** The number of status callbacks that got a successful response. */
  sent = 0;
  /** The number of status callbacks that did not. */
  failed = 0;
  /** By call: the callbacks that are held back until a later one was sent, newest first. */
  private readonly heldBack = new Map<string, Parameters[]>();
  /** By call: resolves when its callbacks so far were sent. */
  private readonly tails = new Map<string, Promise<unknown>>();

  constructor(private readonly options: WebhookSenderOptions) {}

  /**
   * Sends a status callback in the background, after the earlier ones of the same call unless a fault says otherwise.
   */
  sendStatusCallback(statusCallback: StatusCallback): void {
    const { sid, parameters, isLast } = statusCallback;
    const { seed, faults, forcedFault, wait } = this.options;
    const event = [seed, parameters.To ?? '', parameters.SequenceNumber ?? '', 'callback'];
    const fault = forcedFault(sid) ?? pickFault(faults().callbacks, ...event);
    if (fault === 'lost') {
      if (isLast) this.forget(sid);
      return;
    }
    const heldBack = this.heldBack.get(sid) ?? [];
    this.heldBack.delete(sid);
    if (fault === 'reordered' && !isLast) {
      this.heldBack.set(sid, [parameters, ...heldBack]);
      return;
    }
    const deliveries = [parameters, ...heldBack].flatMap((sent) => {
      const delivery = { parameters: sent, token: randomUUID() };
      return fault === 'doubled' ? [delivery, delivery] : [delivery];
    });
    const before = fault === 'late' ? wait(LATE_BY) : (this.tails.get(sid) ?? Promise.resolve());
    const delivered = before.then(async () => {
      for (const delivery of deliveries) await this.deliver(statusCallback, delivery.parameters, delivery.token);
    });
    this.tails.set(sid, delivered);
    if (isLast) void delivered.finally(() => this.forget(sid));
  }

  /** Releases what is kept for a call that sends no more callbacks. */
  private forget(sid: string): void {
    this.heldBack.delete(sid);
    this.tails.delete(sid);
  }

  /**
   * Requests a TwiML document.
   * @throws Error if the URL must not be requested, or the response is not a success
   */
  async fetchTwiml(url: string, method: string, parameters: Parameters): Promise<string> {
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
   * Sends a signed request. Like Twilio by default, it retries once if the connection is refused, and not if the
   * response is an error or late. Redirects are not followed, since they could lead to a forbidden URL.
   */
  private async request(url: string, method: string, parameters: Parameters, token: string): Promise<Response> {
    const address = new URL(url);
    await this.assertAllowed(address);
    address.hash = '';
    const isGet = method.toUpperCase() === 'GET';
    if (isGet) for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    const signature = twilio.getExpectedTwilioSignature(this.options.authToken, address.href, isGet ? {} : parameters);
    const send = () =>
      fetch(address, {
        method: isGet ? 'GET' : 'POST',
        body: isGet ? undefined : new URLSearchParams(parameters),
        headers: { 'X-Twilio-Signature': signature, 'I-Twilio-Idempotency-Token': token },
        redirect: 'manual',
        signal: AbortSignal.timeout(WEBHOOK_TIMEOUT),
      });
    try {
      return await send();
    } catch (error) {
      if ((error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED') throw error;
      return send();
    }
  }

  /** Logs a forbidden URL. @throws ForbiddenUrlError */
  private async assertAllowed(address: URL): Promise<void> {
    const { origins, log } = this.options;
    await origins.assertAllowed(address).catch((error: Error) => {
      log.warn(`The simulator did not request a URL: ${error.message}`);
      throw error;
    });
  }
}
