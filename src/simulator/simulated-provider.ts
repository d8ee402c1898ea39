import type { FastifyBaseLogger } from 'fastify';
import type { SimulatorConfig } from '../config/config.js';
import type { Account } from '../config/platform.js';
import type { AllowedOrigins } from './allowed-origins.js';
import { BoundedMap } from './bounded-map.js';
import type { CallRequest } from './call-request.js';
import { type Faults, NO_FAULTS, type RequestFault, pickFault } from './faults.js';
import { type PersonBehavior, behaviorOf, forcedBy } from './person-behavior.js';
import { SimulatedCall } from './simulated-call.js';
import { WebhookSender } from './webhook-sender.js';

/** How many calls, numbers and people are kept. Beyond that the oldest are removed. */
const MAX_KEPT = 200_000;

/** The longest delay of a timer (ms). */
const MAX_TIMER_DELAY = 2 ** 31 - 1;

class SimulatorClosedError extends Error {}

/** The state of the simulator: its calls, the people in them, and the faults that are switched on. */
export class SimulatedProvider {
  readonly calls = new BoundedMap<string, SimulatedCall>(MAX_KEPT);
  readonly webhooks: WebhookSender;
  /** The number of requests for a call, including those that failed. */
  requested = 0;
  /** The number of calls that such requests created. */
  created = 0;
  /** When each of the latest of them was created (ms since the epoch). */
  creationTimes: number[] = [];
  faults: Faults = NO_FAULTS;
  /** By number: what the person does, where it was set by the controls. */
  readonly people = new BoundedMap<string, Partial<PersonBehavior>>(MAX_KEPT);
  /** How many requests to create or end a call each number got. */
  private readonly requestCounts = {
    create: new BoundedMap<string, number>(MAX_KEPT),
    end: new BoundedMap<string, number>(MAX_KEPT),
  };
  private readonly callCounts = new BoundedMap<string, number>(MAX_KEPT);
  /** Each ends one wait of a running call. A shared AbortSignal would compare each new listener with all others. */
  private readonly waits = new Set<() => void>();
  private closed = false;

  constructor(
    private readonly options: SimulatorConfig,
    readonly account: Account,
    origins: AllowedOrigins,
    log: FastifyBaseLogger,
  ) {
    this.webhooks = new WebhookSender({
      authToken: account.token,
      seed: options.seed,
      origins,
      log,
      faults: () => this.faults,
      forcedFault: (sid) => forcedBy(this.calls.get(sid)?.request.to ?? '').callbacks,
      wait: (seconds) => this.wait(seconds),
    });
  }

  /**
   * Picks the fault of a request to create or end a call to a number. The next request may have another one. A fault
   * that the number forces concerns only its creation.
   * @returns undefined if it has none
   */
  pickRequestFault(action: 'create' | 'end', to: string): RequestFault | undefined {
    const counts = this.requestCounts[action];
    const nth = (counts.get(to) ?? 0) + 1;
    counts.set(to, nth);
    const forced = action === 'create' ? forcedBy(to).create : undefined;
    return forced ?? pickFault(this.faults.create, this.options.seed, to, nth, action);
  }

  /**
   * Creates a call, and runs it in the background.
   * @param behavior takes precedence over what the person does otherwise
   * @returns the call, and a promise that resolves when it is over; it never rejects
   */
  createCall(
    request: CallRequest,
    behavior: Partial<PersonBehavior> = {},
  ): { call: SimulatedCall; over: Promise<void> } {
    const person = request.direction === 'inbound' ? request.from : request.to;
    const nth = (this.callCounts.get(person) ?? 0) + 1;
    this.callCounts.set(person, nth);
    const effective = { ...behaviorOf(this.options, person, nth), ...this.people.get(person), ...behavior };
    const { queue_seconds: queueSeconds } = this.faults;
    const wait = (seconds: number) => this.wait(seconds);
    const call = new SimulatedCall(this.account.sid, request, effective, queueSeconds, this.webhooks, wait);
    this.calls.set(call.sid, call);
    if (isFromCallsApi(request)) this.countCreation();
    // Closing the simulator aborts the call.
    const over = call.run().catch(() => undefined);
    return { call, over };
  }

  /** Aborts all calls. */
  close(): void {
    this.closed = true;
    for (const abort of this.waits) abort();
    this.waits.clear();
  }

  /** Returns how many calls of the calls API each number got, for the numbers that got several. */
  repeatedNumbers(): Record<string, number> {
    const counts = new Map<string, number>();
    for (const { request } of this.calls.values()) {
      if (isFromCallsApi(request)) counts.set(request.to, (counts.get(request.to) ?? 0) + 1);
    }
    return Object.fromEntries([...counts].filter(([, count]) => count > 1));
  }

  /** Returns the most calls that were created in any ten seconds. */
  mostInTenSeconds(): number {
    let first = 0;
    return this.creationTimes.reduce((most, time, index) => {
      while (time - this.creationTimes[first]! >= 10_000) first++;
      return Math.max(most, index - first + 1);
    }, 0);
  }

  /**
   * @param seconds simulated
   * @throws SimulatorClosedError when the simulator is closed meanwhile
   */
  private wait(seconds: number): Promise<void> {
    const delay = Math.min((seconds * 1_000) / this.options.speed, MAX_TIMER_DELAY);
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new SimulatorClosedError());
      const timer = setTimeout(() => {
        this.waits.delete(abort);
        resolve();
      }, delay).unref();
      const abort = () => {
        clearTimeout(timer);
        reject(new SimulatorClosedError());
      };
      this.waits.add(abort);
    });
  }

  private countCreation(): void {
    this.created++;
    this.creationTimes.push(Date.now());
    if (this.creationTimes.length >= 2 * MAX_KEPT) this.creationTimes = this.creationTimes.slice(-MAX_KEPT);
  }
}

/** Whether the calls API created it: not a person who calls in, nor another party on the account. */
function isFromCallsApi({ direction, isForeign }: CallRequest): boolean {
  return direction === 'outbound-api' && !isForeign;
}
