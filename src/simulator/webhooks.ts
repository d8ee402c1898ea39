import { randomUUID } from 'node:crypto';
import twilio from 'twilio';
import { type Faults, struck } from './faults.js';
import type { CallbackFault } from './outcomes.js';

/** Source: https://www.twilio.com/docs/usage/webhooks: all of a webhook's time, in milliseconds. */
const PATIENCE = 15_000;

type Parameters = Record<string, string>;

/** What the simulator tells and asks the program that had it call: signed, as Twilio does. */
export class Webhooks {
  sent = 0;
  failed = 0;
  /** For each call, the callbacks that wait for a later one to overtake them. */
  private readonly overtaken = new Map<string, Parameters[]>();
  private readonly tails = new Map<string, Promise<unknown>>();

  constructor(
    private readonly authToken: string,
    private readonly seed: number,
    private readonly faults: () => Faults,
    private readonly forced: (sid: string) => CallbackFault | undefined,
    private readonly wait: (seconds: number) => Promise<void>,
  ) {}

  /** Sends a status callback; those of one call follow one another. `last`: no other comes after it. */
  send(sid: string, url: string, parameters: Parameters, last: boolean): void {
    const words = [this.seed, parameters.To ?? '', parameters.SequenceNumber ?? '', 'callback'];
    const fault = this.forced(sid) ?? struck(this.faults().callbacks, ...words);
    if (fault === 'lost') {
      if (last) this.forget(sid);
      return;
    }
    const waiting = this.overtaken.get(sid) ?? [];
    this.overtaken.delete(sid);
    if (fault === 'reordered' && !last) {
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
    const before = fault === 'late' ? this.wait(30) : (this.tails.get(sid) ?? Promise.resolve());
    const delivered = before.then(async () => {
      for (const { one, token } of deliveries) await this.deliver(url, one, token);
    });
    this.tails.set(sid, delivered);
    if (last) void delivered.finally(() => this.forget(sid));
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

  private async deliver(url: string, parameters: Parameters, token: string): Promise<void> {
    try {
      const response = await this.request(url, 'POST', parameters, token);
      await response.text();
      if (response.ok) this.sent++;
      else this.failed++;
    } catch {
      this.failed++;
    }
  }

  /** One more try when nobody is there to connect to, as Twilio's default is; none when the answer is bad or late. */
  private async request(url: string, method: string, parameters: Parameters, token: string): Promise<Response> {
    const address = new URL(url);
    address.hash = '';
    const query = method.toUpperCase() === 'GET';
    if (query) for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    const body = query ? undefined : new URLSearchParams(parameters);
    const signature = twilio.getExpectedTwilioSignature(this.authToken, address.href, query ? {} : parameters);
    const headers = { 'X-Twilio-Signature': signature, 'I-Twilio-Idempotency-Token': token };
    const attempt = () =>
      fetch(address, { method: query ? 'GET' : 'POST', body, headers, signal: AbortSignal.timeout(PATIENCE) });
    try {
      return await attempt();
    } catch (error) {
      if ((error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED') throw error;
      return attempt();
    }
  }
}
