import { type CalloutPriority, calloutPriorities } from '../callouts/callout-priority.js';
import { type CallWindows, closesAt, nextOpening } from '../dial-plans/call-windows.js';
import type { FollowUps } from './follow-ups.js';
import { TimeSteps } from './time-steps.js';

// A model of dialing that counts people as amounts. In each step of time, the pace of the installation is divided among
// the callouts as the dial queue divides it. Whoever was dialed in a step is due again later, as far as the follow-ups
// say so. What it costs depends on the number of zones and attempts, not on the number of people. All times are in
// milliseconds since 1970.

/** People of a callout who are the same to the model. */
export interface PeopleGroup {
  /** The IANA name of their time zone. */
  zone: string;
  /** How many attempts were made. */
  attempts: number;
  /** When they are to be called, if the window is open. */
  dueAt: number;
  /** How many they are. It may be a fraction. */
  people: number;
}

/** A callout that is dialed. */
export interface ModeledCallout {
  priority: CalloutPriority;
  /** Nobody is dialed before. */
  startsAt: number;
  /** Nobody is dialed from then on; Infinity for never. */
  expiresAt: number;
  /** The most calls in a second that the callout's own limits allow; Infinity without limits. */
  callsPerSecond: number;
  /** How many attempts are queued before a new one at most. */
  queuedAhead: number;
  windows: CallWindows;
  /** How long before the end of a window nobody is dialed any more (s). */
  ringSeconds: number;
  followUps: FollowUps;
  groups: readonly PeopleGroup[];
}

/** What dialing a callout takes. */
export interface Progress {
  /** When the last person is dialed for the first time. Undefined if nobody is left to be, or within no known time. */
  firstRoundEndsAt?: number;
  /** When the last call is dialed. Undefined if there is hardly one, or within no known time. */
  lastDialAt?: number;
  /** Whether everybody is dialed within a known time. */
  isComplete: boolean;
  /** The pace while the callout has people to call now (calls per second): in the first round, if there is one. */
  callsPerSecond: number;
}

/** How far ahead the model looks (ms). */
const HORIZON = 400 * 86_400_000;

/** Fewer people are nobody, and so is a smaller part of all people. */
const NOBODY = 1e-6;

/** With this number of calls expected after a moment, it is as likely as not that there is another one. */
const NONE_OR_SOME = Math.LN2;

/** With this number of people left, the last one is being dialed. */
const HALF_A_CALL = 0.5;

/** How much work one forecast may be: a unit is a group that is dialed in a step. */
const MAX_WORK = 2_000_000;

/** What a callout costs in each step, in the same unit. */
const WORK_OF_A_CALLOUT = 50;

/**
 * Computes when a callout is dialed beside others.
 *
 * @param callout the callout. Its `expiresAt` is ignored
 * @param others the other callouts that are dialed
 * @param perSecond the pace of the installation (calls per second)
 * @param at the moment from which on calls are dialed
 */
export function modelDialing(
  callout: ModeledCallout,
  others: readonly ModeledCallout[],
  perSecond: number,
  at: number,
): Progress {
  const endless = withFewZones({ ...callout, expiresAt: Infinity }, at);
  if (callout.groups.length === 0) return { isComplete: true, callsPerSecond: paceOf(endless, others, perSecond, at) };
  const begin = firstDialAt(endless, at);
  if (begin === Infinity) return { isComplete: false, callsPerSecond: paceOf(endless, others, perSecond, at) };
  // Steps are short at the beginning. So the others go on until the callout can be dialed, and its steps begin there.
  const merged = others.map((other) => withFewZones(other, at));
  const left = begin > at ? goOn(merged, perSecond, at, begin) : merged;
  const steps = stepsFor([endless, ...left], begin);
  const lines = [endless, ...left].map((one) => new Line(one, steps, begin));
  const own = lines[0]!;
  const curve = new Curve();
  const nobody = NOBODY * Math.max(1, own.left);
  for (let step = 0; step < steps.count && own.left > nobody; step++) {
    const [start, end] = [steps.at(step), steps.at(step + 1)];
    for (const line of lines) line.begin(step, start, end);
    const most = (perSecond * (end - start)) / 1_000;
    // What the callout could be given, also if it needs less.
    const generous = share(lines, most, own);
    const amounts = own.available < generous.get(own)! ? share(lines, most) : generous;
    const first = own.waitingFirst;
    for (const [line, amount] of amounts) line.dial(amount, step, (start + end) / 2);
    curve.add({
      from: own.from,
      to: own.to,
      isWaiting: own.available > 0,
      calls: amounts.get(own) ?? 0,
      firstCalls: first - own.waitingFirst,
      possible: generous.get(own)!,
    });
  }
  return curve.progress(own.left <= nobody);
}

/** @returns the pace of a callout if it had somebody to call now (calls per second) */
function paceOf(callout: ModeledCallout, others: readonly ModeledCallout[], perSecond: number, at: number): number {
  const somebody = { zone: 'UTC', attempts: 0, dueAt: at, people: 1 };
  const single = { ...callout, windows: 'always' as const, followUps: [], groups: [somebody] };
  return modelDialing(single, others, perSecond, at).callsPerSecond;
}

/** Counts people whose windows open and close at the same time as people of one zone. There are a few dozen clocks. */
function withFewZones(callout: ModeledCallout, at: number): ModeledCallout {
  const { windows } = callout;
  if (windows === 'always') return callout;
  const zones = new Map<string, string>();
  const zoneOf = new Map<string, string>();
  for (const zone of new Set(callout.groups.map((group) => group.zone))) {
    const opens = nextOpening(windows, zone, new Date(at));
    const clock = `${opens?.getTime()} ${opens && closesAt(windows, zone, opens)?.getTime()}`;
    if (!zones.has(clock)) zones.set(clock, zone);
    zoneOf.set(zone, zones.get(clock)!);
  }
  return { ...callout, groups: callout.groups.map((group) => ({ ...group, zone: zoneOf.get(group.zone)! })) };
}

/** @returns when somebody of a callout can be dialed first; Infinity for never */
function firstDialAt({ groups, startsAt, windows, ringSeconds }: ModeledCallout, at: number): number {
  const times = groups.map(({ dueAt, zone }) => {
    const due = Math.max(at, startsAt, dueAt);
    return nextOpening(windows, zone, new Date(due), ringSeconds)?.getTime() ?? Infinity;
  });
  return times.reduce((first, time) => Math.min(first, time), Infinity);
}

/** @returns the callouts as they are at `until`, if they are dialed from `from` on */
function goOn(
  callouts: readonly ModeledCallout[],
  perSecond: number,
  from: number,
  until: number,
): readonly ModeledCallout[] {
  if (callouts.length === 0) return callouts;
  const steps = stepsFor(callouts, from);
  const lines = callouts.map((one) => new Line(one, steps, from));
  let step = 0;
  for (; step < steps.count && steps.at(step) < until; step++) {
    const [start, end] = [steps.at(step), Math.min(until, steps.at(step + 1))];
    for (const line of lines) line.begin(step, start, end);
    for (const [line, amount] of share(lines, (perSecond * (end - start)) / 1_000)) {
      line.dial(amount, step, (start + end) / 2);
    }
  }
  return lines.map((line) => ({ ...line.callout, groups: line.groupsAt(until, step) }));
}

/** @returns steps that are as short as the work that all callouts are in each permits */
function stepsFor(callouts: readonly ModeledCallout[], from: number): TimeSteps {
  const work = callouts.reduce((sum, { groups, windows, followUps }) => {
    const zones = windows === 'always' ? 1 : new Set(groups.map(({ zone }) => zone)).size;
    return sum + WORK_OF_A_CALLOUT + zones * followUps.reduce((all, some) => all + some.length, 1);
  }, 1);
  return new TimeSteps(from, HORIZON, MAX_WORK / work);
}

/**
 * Divides what can be dialed in a step as the dial queue does: the most urgent callouts first, and those of the same
 * priority in equal numbers.
 *
 * @param most how many calls can be dialed
 * @param insatiable a callout that gets as much as if it had any number of people
 */
function share(lines: readonly Line[], most: number, insatiable?: Line): Map<Line, number> {
  const amounts = new Map<Line, number>(insatiable ? [[insatiable, 0]] : []);
  let left = most;
  for (const priority of calloutPriorities) {
    const wanted = (line: Line) => Math.min(line.limit, line === insatiable ? Infinity : line.available);
    const ofPriority = lines
      .filter((line) => line.callout.priority === priority && wanted(line) > 0)
      .toSorted((one, other) => wanted(one) - wanted(other));
    for (const [index, line] of ofPriority.entries()) {
      const amount = Math.min(wanted(line), line.openShare * most, left / (ofPriority.length - index));
      amounts.set(line, amount);
      left -= amount;
    }
  }
  return amounts;
}

/** What was dialed in one step. */
interface DialedStep {
  /** The time in which people could be dialed. */
  from: number;
  to: number;
  /** Whether there was anybody to dial. */
  isWaiting: boolean;
  calls: number;
  /** How many of the calls were the first ones of their people. */
  firstCalls: number;
  /** How many calls would have been possible. */
  possible: number;
}

/** The calls to a callout over time. */
class Curve {
  private readonly steps: DialedStep[] = [];

  add(step: DialedStep): void {
    if (step.isWaiting) this.steps.push(step);
  }

  /** @param isComplete whether nobody is left */
  progress(isComplete: boolean): Progress {
    const firstCalls = this.sum(({ firstCalls: some }) => some);
    const firstRoundEndsAt = isComplete ? this.reaches('firstCalls', firstCalls - HALF_A_CALL) : undefined;
    return {
      firstRoundEndsAt,
      lastDialAt: isComplete ? this.reaches('calls', this.sum(({ calls }) => calls) - NONE_OR_SOME) : undefined,
      isComplete,
      callsPerSecond: this.pace(firstRoundEndsAt ?? Infinity),
    };
  }

  /** @returns when so many calls have been made; undefined if it is none */
  private reaches(name: 'calls' | 'firstCalls', count: number): number | undefined {
    if (count <= 0) return undefined;
    let sum = 0;
    for (const step of this.steps) {
      const { from, to, calls, possible } = step;
      sum += step[name];
      if (step[name] === 0 || sum < count) continue;
      const part = Math.max(0, 1 - (sum - count) / step[name]);
      return from + (to - from) * part * Math.min(1, calls / possible);
    }
    return undefined;
  }

  /** @returns the calls in a second, over the time in which people waited for them */
  private pace(until: number): number {
    const steps = this.steps.filter(({ from }) => from <= until);
    const milliseconds = steps.map(({ from, to, calls, possible }) =>
      possible > 0 ? (to - from) * Math.min(1, calls / possible) : to - from,
    );
    const calls = steps.reduce((sum, step) => sum + step.calls, 0);
    return (calls * 1_000) / milliseconds.reduce((sum, one) => sum + one, 0);
  }

  private sum(amountOf: (step: DialedStep) => number): number {
    return this.steps.reduce((sum, step) => sum + amountOf(step), 0);
  }
}

/** The openings of one time zone, from a moment on. */
class Openings {
  opens = -Infinity;
  /** The last moment at which somebody may be dialed. */
  closes = -Infinity;

  constructor(
    private readonly windows: CallWindows,
    private readonly zone: string,
    private readonly ringSeconds: number,
  ) {
    if (windows === 'always') this.closes = Infinity;
  }

  /** @returns the part of a step in which people may be dialed; undefined if there is none */
  within(start: number, end: number): { from: number; to: number } | undefined {
    if (this.closes < start) this.findNext(start);
    const [from, to] = [Math.max(start, this.opens), Math.min(end, this.closes)];
    return from < to ? { from, to } : undefined;
  }

  private findNext(from: number): void {
    const opens = nextOpening(this.windows, this.zone, new Date(from), this.ringSeconds);
    const closes = opens && closesAt(this.windows, this.zone, opens);
    this.opens = opens ? opens.getTime() : Infinity;
    this.closes = closes ? closes.getTime() - this.ringSeconds * 1_000 : Infinity;
  }
}

/** The people of a callout while it is dialed: who is due and who is queued, and who will be due in which step. */
class Line {
  /** How many people are left to be dialed. */
  left = 0;
  /** How many of them have not been dialed yet. */
  waitingFirst = 0;
  /** How many people can be dialed in this step. */
  available = 0;
  /** How many calls the callout's own limits allow in this step. */
  limit = 0;
  /** The part of this step in which people can be dialed (0 to 1). */
  openShare = 0;
  /** The time of this step in which people can be dialed. */
  from = 0;
  to = 0;

  private readonly zones: readonly string[];
  private readonly openings: readonly Openings[];
  private readonly rounds: number;
  /** Who is due and not queued, by zone and attempts made. */
  private readonly due: Float64Array;
  /** Who is queued, in this order: groups of people who were queued together. All of their zones are open. */
  private queue: QueuedPeople[] = [];
  private queued = 0;
  /** Who will be due, by step, zone and attempts made. */
  private readonly later: Float64Array;
  private readonly isOpen: boolean[] = [];

  constructor(
    readonly callout: ModeledCallout,
    private readonly steps: TimeSteps,
    from: number,
  ) {
    const { windows, groups, followUps, ringSeconds, startsAt } = callout;
    const zones = windows === 'always' ? [''] : [...new Set(groups.map(({ zone }) => zone))];
    this.zones = zones;
    this.openings = zones.map((zone) => new Openings(windows, zone, ringSeconds));
    this.rounds = followUps.length + 1;
    this.due = new Float64Array(zones.length * this.rounds);
    this.later = new Float64Array(this.due.length * (steps.count + 1));
    for (const { zone, attempts, dueAt, people } of groups) {
      const step = Math.max(0, steps.nearest(Math.max(from, startsAt, dueAt)));
      this.add(step, Math.max(0, zones.indexOf(zone)), attempts, people);
    }
  }

  /** Begins a step: who is due from then on, and who of them can be dialed. */
  begin(step: number, start: number, end: number): void {
    const first = step * this.due.length;
    for (let index = 0; index < this.due.length; index++) this.due[index]! += this.later[first + index]!;
    const { startsAt, expiresAt, callsPerSecond } = this.callout;
    [this.from, this.to] = [end, start];
    const [opens, closes] = [Math.max(start, startsAt), Math.min(end, expiresAt)];
    for (const [zone, openings] of this.openings.entries()) {
      const open = opens < closes ? openings.within(opens, closes) : undefined;
      if (this.isOpen[zone] && !open) this.dequeue(zone);
      this.isOpen[zone] = open !== undefined;
      if (!open || (this.queued === 0 && this.sumDue(zone) === 0)) continue;
      this.from = Math.min(this.from, open.from);
      this.to = Math.max(this.to, open.to);
    }
    this.available = this.queued;
    for (const zone of this.zones.keys()) if (this.isOpen[zone]) this.available += this.sumDue(zone);
    this.openShare = this.available > 0 ? (this.to - this.from) / (end - start) : 0;
    this.limit = (callsPerSecond * Math.max(0, this.to - this.from)) / 1_000;
    this.fillQueue();
  }

  /** Dials people in the order in which they were queued. */
  dial(amount: number, step: number, at: number): void {
    if (amount <= 0) return;
    const dueSteps = this.callout.followUps.map((some) =>
      some.map(({ after }) => Math.max(step + 1, this.steps.nearest(at + after * 1_000))),
    );
    for (let left = amount; left > 0;) {
      if (this.queue.length === 0) this.fillQueue();
      const [next] = this.queue;
      if (!next) return;
      const part = Math.min(1, left / next.sum);
      left -= next.sum;
      this.queued -= next.sum * part;
      for (const [index, people] of next.people.entries()) {
        if (people > 0) this.call(index, people * part, dueSteps);
        next.people[index]! -= people * part;
      }
      next.sum -= next.sum * part;
      if (part === 1) this.queue.shift();
    }
  }

  /** @returns the people who are left before a step, at the moment `at` */
  groupsAt(at: number, step: number): PeopleGroup[] {
    const groups: PeopleGroup[] = [];
    const put = (index: number, people: number, dueAt: number) => {
      if (people <= NOBODY) return;
      const [zone, attempts] = [Math.floor(index / this.rounds), index % this.rounds];
      groups.push({ zone: this.zones[zone]!, attempts, dueAt, people });
    };
    for (const people of [this.due, ...this.queue.map((queued) => queued.people)]) {
      for (const [index, amount] of people.entries()) put(index, amount, at);
    }
    for (let index = step * this.due.length; index < this.later.length; index++) {
      put(index % this.due.length, this.later[index]!, this.steps.at(Math.floor(index / this.due.length)));
    }
    return groups;
  }

  /** Queues people who are due, first those who are called again, as the callout runner does. */
  private fillQueue(): void {
    let room = this.callout.queuedAhead - this.queued;
    if (room <= 0) return;
    const people = new Float64Array(this.due.length);
    let sum = 0;
    for (const isRepeated of [true, false]) {
      const waiting = this.sumOpen(isRepeated);
      if (waiting <= 0 || room <= 0) continue;
      const part = Math.min(1, room / waiting);
      for (let index = 0; index < people.length; index++) {
        if (!this.isNext(index, isRepeated)) continue;
        people[index] = this.due[index]! * part;
        this.due[index]! -= people[index]!;
      }
      sum += waiting * part;
      room -= waiting * part;
    }
    if (sum === 0) return;
    this.queue.push({ people, sum });
    this.queued += sum;
  }

  private sumOpen(isRepeated: boolean): number {
    let sum = 0;
    for (let index = 0; index < this.due.length; index++) if (this.isNext(index, isRepeated)) sum += this.due[index]!;
    return sum;
  }

  private isNext(index: number, isRepeated: boolean): boolean {
    return index % this.rounds > 0 === isRepeated && this.isOpen[Math.floor(index / this.rounds)] === true;
  }

  /** Takes the people of a zone out of the queue. */
  private dequeue(zone: number): void {
    for (const queued of this.queue) {
      for (let index = zone * this.rounds; index < (zone + 1) * this.rounds; index++) {
        const amount = queued.people[index]!;
        this.due[index]! += amount;
        this.queued -= amount;
        queued.sum -= amount;
        queued.people[index] = 0;
      }
    }
    this.queue = this.queue.filter(({ sum }) => sum > NOBODY);
    if (this.queue.length === 0) this.queued = 0;
  }

  /**
   * Calls people, and adds those who will be called again.
   * @param dueSteps when they will be due, for each of the follow-ups
   */
  private call(index: number, people: number, dueSteps: readonly (readonly number[])[]): void {
    const [zone, attempts] = [Math.floor(index / this.rounds), index % this.rounds];
    this.left -= people;
    if (attempts === 0) this.waitingFirst -= people;
    const followUps = this.callout.followUps[attempts] ?? [];
    for (let next = 0; next < followUps.length; next++) {
      this.add(dueSteps[attempts]![next]!, zone, attempts + 1, people * followUps[next]!.share);
    }
  }

  private add(step: number, zone: number, attempts: number, people: number): void {
    const index = Math.min(step, this.steps.count) * this.due.length;
    this.later[index + zone * this.rounds + Math.min(attempts, this.rounds - 1)]! += people;
    this.left += people;
    if (attempts === 0) this.waitingFirst += people;
  }

  private sumDue(zone: number): number {
    let sum = 0;
    for (let attempts = 0; attempts < this.rounds; attempts++) sum += this.due[zone * this.rounds + attempts]!;
    return sum;
  }
}

/** People who were queued together, by zone and attempts made. */
interface QueuedPeople {
  people: Float64Array;
  sum: number;
}
