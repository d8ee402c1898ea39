import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { SimulatorConfig } from '../config/config.js';
import type { Account } from '../config/platform.js';
import type { AllowedOrigins } from './allowed-origins.js';
import { type Faults, NO_FAULTS, struck } from './faults.js';
import { type CreateFault, type Outcome, forcedBy, outcomeOf } from './outcomes.js';
import { RecentMap } from './recent-map.js';
import { type CallRequest, SimulatedCall } from './simulated-call.js';
import { Webhooks } from './webhooks.js';

/** Calls, numbers and people that are remembered; the oldest go first. */
const REMEMBERED = 200_000;

/** The longest wait that a timer can make, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** The simulated world: its calls, and what goes wrong in it. */
export class Exchange {
  readonly calls = new RecentMap<string, SimulatedCall>(REMEMBERED);
  readonly webhooks: Webhooks;
  /** Requests for a call, taken or not, in all. */
  requested = 0;
  /** Calls that were asked for and taken, in all. */
  created = 0;
  /** When each of the latest of them was taken, in milliseconds. */
  taken: number[] = [];
  faults: Faults = NO_FAULTS;
  /** What certain people do when they are called, by their numbers. */
  readonly people = new RecentMap<string, Partial<Outcome>>(REMEMBERED);
  private readonly requests = new RecentMap<string, number>(REMEMBERED);
  private readonly callsOf = new RecentMap<string, number>(REMEMBERED);
  private readonly closing = new AbortController();

  constructor(
    private readonly options: SimulatorConfig,
    readonly account: Account,
    origins: AllowedOrigins,
    log: FastifyBaseLogger,
  ) {
    // Each call that is under way listens.
    setMaxListeners(0, this.closing.signal);
    this.webhooks = new Webhooks({
      authToken: account.token,
      seed: options.seed,
      origins,
      log,
      faults: () => this.faults,
      forced: (sid) => forcedBy(this.calls.get(sid)?.request.to ?? '').callbacks,
      wait: (seconds) => this.wait(seconds),
    });
  }

  /** The fault that strikes this request for a call to a number, if any; the next request may fare better. */
  faultOf(to: string): CreateFault | undefined {
    const nth = (this.requests.get(to) ?? 0) + 1;
    this.requests.set(to, nth);
    return forcedBy(to).create ?? struck(this.faults.create, this.options.seed, to, nth, 'create');
  }

  /** Takes a call, which from now on lives by itself. */
  take(request: CallRequest, chosen: Partial<Outcome> = {}): { call: SimulatedCall; over: Promise<void> } {
    const person = request.direction === 'inbound' ? request.from : request.to;
    const nth = (this.callsOf.get(person) ?? 0) + 1;
    this.callsOf.set(person, nth);
    const outcome = { ...outcomeOf(this.options, person, nth), ...this.people.get(person), ...chosen };
    const { queue_seconds: queueSeconds } = this.faults;
    const wait = (seconds: number) => this.wait(seconds);
    const call = new SimulatedCall(this.account.sid, request, outcome, queueSeconds, this.webhooks, wait);
    this.calls.set(call.sid, call);
    if (isOurs(request)) this.count();
    // The world ends when the program does.
    const over = call.live().catch(() => undefined);
    return { call, over };
  }

  close(): void {
    this.closing.abort();
  }

  /** How often each number was rung by the calls that were asked for, for those that were more than once. */
  rungAgain(): Record<string, number> {
    const rings = new Map<string, number>();
    for (const { request } of this.calls.values()) {
      if (isOurs(request)) rings.set(request.to, (rings.get(request.to) ?? 0) + 1);
    }
    return Object.fromEntries([...rings].filter(([, count]) => count > 1));
  }

  /** The most calls that were taken in any ten seconds. */
  mostInTenSeconds(): number {
    let first = 0;
    return this.taken.reduce((most, time, index) => {
      while (time - this.taken[first]! >= 10_000) first++;
      return Math.max(most, index - first + 1);
    }, 0);
  }

  private async wait(seconds: number): Promise<void> {
    const time = Math.min((seconds * 1_000) / this.options.speed, LONGEST_WAIT);
    await pause(time, undefined, { ref: false, signal: this.closing.signal });
  }

  private count(): void {
    this.created++;
    this.taken.push(Date.now());
    if (this.taken.length >= 2 * REMEMBERED) this.taken = this.taken.slice(-REMEMBERED);
  }
}

/** Asked for by the calls API: no person who calls in, and no other party on the account. */
function isOurs({ direction, isForeign }: CallRequest): boolean {
  return direction === 'outbound-api' && !isForeign;
}
