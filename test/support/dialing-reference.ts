import { type CalloutPriority, calloutPriorities } from '../../src/callouts/callout-priority.js';
import { queuedAhead } from '../../src/callout-runner/queued-ahead.js';
import { mayRing, nextOpening } from '../../src/dial-plans/call-windows.js';
import { type DialPlan, RESERVED_AHEAD_SECONDS } from '../../src/dial-plans/dial-plan.js';
import { nextAttemptAt } from '../../src/dial-plans/retry-schedule.js';
import type { AttemptResult } from '../../src/dial-plans/retry-schedule.js';

// The slow, obvious model of dialing: one person after the other, with a clock that jumps from slot to slot.

/** What a person does in a call. */
export interface SimulatedCall {
  result: AttemptResult | 'confirmed';
  seconds: number;
}

export interface ReferencePerson {
  id: number;
  zone: string;
}

export interface ReferenceCallout {
  priority: CalloutPriority;
  plan: DialPlan;
  people: readonly ReferencePerson[];
  /** What a person does in the `nth` call (1, 2, …). */
  call(person: ReferencePerson, nth: number): SimulatedCall;
}

/** What happened to a callout. Times are in milliseconds since 1970. */
export interface ReferenceRun {
  dials: { at: number; nth: number; endedAt: number; result: SimulatedCall['result']; zone: string }[];
  firstRoundEndedAt: number;
  endedAt: number;
}

interface Waiting extends ReferencePerson {
  results: AttemptResult[];
  dueAt: number;
}

class Running {
  readonly dials: ReferenceRun['dials'] = [];
  /** People who were not called yet, and people who are called again. */
  private readonly fresh: Set<Waiting>;
  private readonly repeated = new Set<Waiting>();
  /** People whose attempts are queued, in this order. */
  private readonly queue: Waiting[] = [];
  /** When the calls under way end. */
  private underWay: number[] = [];
  /** Nobody is due before. */
  private earliest = -Infinity;
  private nextOwnSlot = 0;
  private readonly room: number;

  constructor(
    readonly callout: ReferenceCallout,
    at: number,
    perSecond: number,
  ) {
    this.room = queuedAhead(Math.min(perSecond, callout.plan.callsPerSecond ?? Infinity));
    this.fresh = new Set(callout.people.map((person) => ({ ...person, results: [], dueAt: at })));
  }

  get isDone(): boolean {
    return this.fresh.size + this.repeated.size + this.queue.length === 0;
  }

  /** Nobody is dialed before. */
  get nextAt(): number {
    return Math.max(this.nextOwnSlot, this.earliest);
  }

  /** Dials somebody who is due, if there is anybody. */
  dial(at: number): boolean {
    if (at < this.nextAt) return false;
    const { plan, call } = this.callout;
    this.underWay = this.underWay.filter((endedAt) => endedAt > at);
    if (this.underWay.length >= (plan.maxCallsInFlight ?? Infinity)) {
      this.nextOwnSlot = Math.min(...this.underWay);
      return false;
    }
    const person = this.nextPerson(at);
    if (!person) return false;
    if (plan.callsPerSecond !== undefined) this.nextOwnSlot = at + 1_000 / plan.callsPerSecond;
    const nth = person.results.length + 1;
    const { result, seconds } = call(person, nth);
    const endedAt = at + seconds * 1_000;
    this.dials.push({ at, nth, endedAt, result, zone: person.zone });
    this.underWay.push(endedAt);
    if (result !== 'confirmed') person.results.push(result);
    const ended = { participationId: person.id, results: person.results, endedAt: new Date(endedAt) };
    const next = result === 'confirmed' ? undefined : nextAttemptAt(plan, ended);
    if (!next) return true;
    person.dueAt = next.getTime();
    this.repeated.add(person);
    this.earliest = Math.min(this.earliest, person.dueAt);
    return true;
  }

  /** Takes the next person from the queue. Who must wait for a window is due then. */
  private nextPerson(at: number): Waiting | undefined {
    if (this.queue.length < this.room) this.fillQueue(at);
    for (let person = this.queue.shift(); person; person = this.queue.shift()) {
      if (!this.isHeld(person, at)) return person;
      (person.results.length > 0 ? this.repeated : this.fresh).add(person);
    }
    this.earliest = Math.min(...[...this.repeated, ...this.fresh].map(({ dueAt }) => dueAt));
    return undefined;
  }

  /** Queues people who are due, first those who are called again. */
  private fillQueue(at: number): void {
    for (const people of [this.repeated, this.fresh]) {
      for (const person of people) {
        if (this.queue.length >= this.room) return;
        if (person.dueAt > at || this.isHeld(person, at)) continue;
        people.delete(person);
        this.queue.push(person);
      }
    }
    this.earliest = -Infinity;
  }

  private isHeld(person: Waiting, at: number): boolean {
    const { plan } = this.callout;
    const ring = plan.ringSeconds + RESERVED_AHEAD_SECONDS;
    if (mayRing(plan.callWindows, person.zone, new Date(at), ring)) return false;
    person.dueAt = nextOpening(plan.callWindows, person.zone, new Date(at), ring)!.getTime();
    return true;
  }
}

/** Dials callouts until nobody is left. They take turns in each priority. */
export function dialEverybody(callouts: readonly ReferenceCallout[], perSecond: number, start: number): ReferenceRun[] {
  const all = callouts.map((callout) => new Running(callout, start, perSecond));
  let turn = 0;
  for (let at = start; all.some(({ isDone }) => !isDone);) {
    const left = all.filter(({ isDone }) => !isDone);
    turn += 1;
    const order = calloutPriorities.flatMap((priority) => {
      const some = left.filter(({ callout }) => callout.priority === priority);
      return some.map((_, index) => some[(index + turn) % some.length]!);
    });
    if (order.some((one) => one.dial(at))) at += 1_000 / perSecond;
    else at = Math.max(at + 1, Math.min(...left.map(({ isDone, nextAt }) => (isDone ? Infinity : nextAt))));
  }
  return all.map(({ dials }) => ({
    dials,
    firstRoundEndedAt: Math.max(...dials.filter(({ nth }) => nth === 1).map(({ at }) => at)),
    endedAt: Math.max(...dials.map(({ endedAt }) => endedAt)),
  }));
}
