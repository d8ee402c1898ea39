import { type CalloutPriority, calloutPriorities } from '../callouts/callout-priority.js';
import { queuedAhead } from '../callout-runner/queued-ahead.js';
import { type DialPlan, RESERVED_AHEAD_SECONDS } from '../dial-plans/dial-plan.js';
import { timeZoneOf } from '../time-zones/time-zone.js';
import { type CallStatistics, meanCallSeconds } from './call-statistics.js';
import { type ModeledCallout, type PeopleGroup, type Progress, modelDialing } from './dialing-model.js';
import { durationText } from './duration-text.js';
import { DIAL_DELAY, type FollowUps, callsToCome, followUpsOf, withMeanTimes } from './follow-ups.js';
import type { Forecast } from './forecast.dto.js';

/** People who take part in a callout, or will. */
export interface CountedPeople {
  /** What their contacts' metadata have as their time zone. */
  zone: string | null;
  /** How many calls to them were dialed. */
  attempts: number;
  /** Whether a call to them is under way; otherwise they wait for one. */
  isUnderWay: boolean;
  /** When the next call may be made (ms since 1970); null for at once. */
  dueAt: number | null;
  people: number;
}

/** A callout with the people who are left. All times are in milliseconds since 1970. */
export interface CalloutToDial {
  priority: CalloutPriority;
  /** When it starts to dial; null if it dials already. */
  startsAt: number | null;
  /** From when on nobody is dialed; null for never. */
  expiresAt: number | null;
  /** Null: each person is called once, at any time. */
  plan: DialPlan | null;
  people: readonly CountedPeople[];
}

/** What a forecast depends on, besides the moment. */
export interface ForecastInput {
  callout: CalloutToDial;
  /** The other callouts that are dialed. */
  others: readonly CalloutToDial[];
  /** The pace of the installation (calls per second). */
  callsPerSecond: number;
  /** The most calls of the installation that are under way at the same time. Undefined: no limit. */
  maxCallsInFlight?: number;
  statistics: CallStatistics;
  /** The real pace of the last minutes, while people waited for their turn (calls per second). */
  measured?: MeasuredPace;
  leftOut: Forecast['left_out'];
}

/** A pace that was measured (calls per second). */
export interface MeasuredPace {
  /** That of all callouts. */
  all: number;
  /** That of the callout. */
  own: number;
}

/** The name of the people without a time zone of their own. */
const NO_ZONE = 'none';

/** How long the place of a call that ended stays empty (s): the dial queue looks four times a second. */
const REFILL_SECONDS = 0.25;

/** How a person is called without a dial plan. */
const ONCE: FollowUps = [];

/** @returns the forecast at a moment (ms since 1970) */
export function forecastAt(at: number, input: ForecastInput): Forecast {
  const { callout, statistics, leftOut } = input;
  const followUpsFor = rememberFollowUps(statistics);
  const followUps = followUpsFor(callout);
  const sharing = input.others.filter((other) => isAsUrgent(other, callout));
  const paces = pacesOf(input, sharing.length);
  const model = toModel(callout, at, { followUps, perSecond: paces.own, installation: input.callsPerSecond });
  const others = input.others.map((other) =>
    toModel(other, at, {
      followUps: withMeanTimes(followUpsFor(other)),
      perSecond: ownLimit(other, statistics),
      installation: input.callsPerSecond,
    }),
  );
  const progress = modelDialing(model, others, paces.all, at);
  const people = countPeople(callout);
  const { firstRoundEndsAt, callsPerSecond } = progress;
  // Without a call to come, some may be under way.
  const lastDialAt = progress.isComplete && people > 0 ? (progress.lastDialAt ?? at) : undefined;
  const endsAt = lastDialAt === undefined ? undefined : lastDialAt + meanCallSeconds(statistics) * 1_000;
  const because = whyNotFeasible(callout, { at, endsAt, people, ...progress });
  return {
    people,
    left_out: leftOut,
    time_zones: countZones(callout),
    calls_per_second: threeDigits(callsPerSecond),
    shared_with: sharing.length,
    expected_calls: Math.round(expectedCalls(callout, followUps)),
    first_round_ends_at: toTimestamp(firstRoundEndsAt),
    ends_at: toTimestamp(endsAt),
    feasible: because === null,
    because,
    assumed: { answer_rate: threeDigits(statistics.results.answered.share), from: statistics.source },
  };
}

/** @returns a function that computes the follow-ups of a callout, once for all callouts with the same retries */
function rememberFollowUps(statistics: CallStatistics): (callout: CalloutToDial) => FollowUps {
  const known = new Map<string, FollowUps>();
  return ({ plan }) => {
    if (!plan) return ONCE;
    const key = JSON.stringify([plan.until, plan.maxAttempts, plan.retries]);
    const followUps = known.get(key) ?? followUpsOf(plan, statistics);
    known.set(key, followUps);
    return followUps;
  };
}

/** @returns whether calls of `other` go before those of a callout, or take turns with them */
function isAsUrgent(other: CalloutToDial, { priority }: CalloutToDial): boolean {
  return calloutPriorities.indexOf(other.priority) <= calloutPriorities.indexOf(priority);
}

/**
 * @param sharing how many callouts share the pace
 * @returns the pace of the installation and the limit of the callout (calls per second). What was measured replaces the
 *   one that holds the callout back
 */
function pacesOf(input: ForecastInput, sharing: number): { all: number; own: number } {
  const { callout, statistics, maxCallsInFlight, measured } = input;
  const all = Math.min(input.callsPerSecond, inFlightPace(maxCallsInFlight, statistics));
  const own = ownLimit(callout, statistics);
  if (!measured) return { all, own };
  return own < all / (sharing + 1) ? { all, own: measured.own } : { all: measured.all, own };
}

/** @returns the pace that a callout's own limits allow (calls per second) */
function ownLimit({ plan }: CalloutToDial, statistics: CallStatistics): number {
  return Math.min(plan?.callsPerSecond ?? Infinity, inFlightPace(plan?.maxCallsInFlight, statistics));
}

/** @returns the pace at which as many calls begin as end (calls per second) */
function inFlightPace(most: number | undefined, statistics: CallStatistics): number {
  return most === undefined ? Infinity : most / (meanCallSeconds(statistics) + REFILL_SECONDS);
}

function toModel(
  { priority, plan, startsAt, expiresAt, people }: CalloutToDial,
  at: number,
  { followUps, perSecond, installation }: { followUps: FollowUps; perSecond: number; installation: number },
): ModeledCallout {
  const groups = people.flatMap((counted): PeopleGroup[] => {
    const zone = timeZoneOf(counted.zone) ?? plan?.timeZone ?? 'UTC';
    const { attempts, isUnderWay, dueAt } = counted;
    if (!isUnderWay) return [{ zone, attempts, dueAt: Math.max(at, dueAt ?? at), people: counted.people }];
    return (followUps[Math.max(0, attempts - 1)] ?? []).map(({ after, share }) => ({
      zone,
      attempts,
      dueAt: at + after * 1_000,
      people: counted.people * share,
    }));
  });
  return {
    priority,
    startsAt: startsAt === null ? at : Math.max(at, startsAt) + DIAL_DELAY * 1_000,
    expiresAt: expiresAt ?? Infinity,
    callsPerSecond: perSecond,
    queuedAhead: plan ? queuedAhead(Math.min(plan.callsPerSecond ?? Infinity, installation)) : Infinity,
    windows: plan?.callWindows ?? 'always',
    ringSeconds: (plan?.ringSeconds ?? 0) + RESERVED_AHEAD_SECONDS,
    followUps,
    groups,
  };
}

function countPeople({ people }: CalloutToDial): number {
  return people.reduce((sum, one) => sum + one.people, 0);
}

/** @returns how many people have which time zone of their own, the most frequent first */
function countZones({ people }: CalloutToDial): Record<string, number> {
  const zones = new Map<string, number>();
  for (const { zone, people: some } of people) {
    const name = timeZoneOf(zone) ?? NO_ZONE;
    zones.set(name, (zones.get(name) ?? 0) + some);
  }
  return Object.fromEntries([...zones].toSorted(([, one], [, other]) => other - one));
}

function expectedCalls({ people }: CalloutToDial, followUps: FollowUps): number {
  return people.reduce((sum, { attempts, isUnderWay, people: some }) => {
    const calls = isUnderWay ? callsToCome(followUps, attempts) : 1 + callsToCome(followUps, attempts + 1);
    return sum + some * calls;
  }, 0);
}

interface Timing extends Progress {
  at: number;
  endsAt: number | undefined;
  people: number;
}

/** @returns why a callout does not end in time, for people; null if it does */
function whyNotFeasible({ startsAt, expiresAt, plan }: CalloutToDial, timing: Timing): string | null {
  const { at, firstRoundEndsAt, endsAt, isComplete, people, callsPerSecond } = timing;
  if (expiresAt !== null && expiresAt <= at) return 'it has expired';
  if (!isComplete) return 'it never ends: its call windows hardly open, or other callouts go before it';
  if (expiresAt === null || endsAt === undefined || endsAt <= expiresAt) return null;
  const begins = Math.max(at, startsAt ?? at);
  const isLateAtOnce = firstRoundEndsAt !== undefined && firstRoundEndsAt > expiresAt;
  const who = people === 1 ? '1 person' : `${people.toLocaleString('en-US')} people`;
  const pace = `${threeDigits(callsPerSecond).toLocaleString('en-US')} calls a second`;
  const takes = durationText((isLateAtOnce ? firstRoundEndsAt : endsAt) - begins);
  const details = [
    isLateAtOnce ? '' : ' with all attempts',
    plan && plan.callWindows !== 'always' ? ' inside its call windows' : '',
  ];
  const expires =
    begins > at
      ? `it expires ${durationText(expiresAt - begins)} after its start`
      : `it expires in ${durationText(expiresAt - at)}`;
  return `${who} at ${pace} take${people === 1 ? 's' : ''} ${takes}${details.join('')}; ${expires}`;
}

function threeDigits(value: number): number {
  return Number(value.toPrecision(3));
}

function toTimestamp(at: number | undefined): string | null {
  return at === undefined ? null : new Date(Math.round(at)).toISOString();
}
