import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';
import { timeZoneOf } from '../time-zones/time-zone.js';

/** The days of the week, from Monday. */
export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof days)[number];

/**
 * A time of the day at which people may be called, from `from` (inclusive) to `to` (exclusive), such as 08:00 to 20:00
 * in local time. A window whose `to` is before its `from` crosses midnight and belongs to the day on which it begins.
 */
export interface CallWindow {
  /** Undefined: every day. */
  days?: readonly Day[];
  from: string;
  /** `24:00` is the end of the day. */
  to: string;
}

/**
 * All call windows of a plan, as the times of one week. Windows that overlap or touch are one.
 *
 * - `always`: at any time
 * - a list: in the order of the week, without overlaps. An empty list never opens
 */
export type CallWindows = 'always' | readonly WeeklyOpening[];

/** A time of the week, in minutes since Monday 00:00. One that crosses the end of the week ends after `WEEK`. */
interface WeeklyOpening {
  from: number;
  to: number;
}

/** From `opens` (inclusive) to `closes` (exclusive), in milliseconds since 1970 (UTC). */
interface Opening {
  opens: number;
  closes: number;
}

const MINUTE = 60_000;
const DAY = 1_440;
const WEEK = 7 * DAY;
/** The first Monday of 1970, in minutes since 1970. */
const FIRST_MONDAY = 4 * DAY;

/**
 * How many weeks are searched for an opening. A clock change skips or shortens an opening in one week. The same opening
 * is there in the next week.
 */
const WEEKS_AHEAD = 4;

const EPOCH = Temporal.PlainDateTime.from('1970-01-01T00:00');

/** Parses a time of the day. @returns the minutes since midnight; undefined for any other value */
export function minuteOfDay(time: unknown): number | undefined {
  const [, hours, minutes] = (typeof time === 'string' && /^(\d\d):([0-5]\d)$/.exec(time)) || [];
  const minute = Number(hours) * 60 + Number(minutes);
  return minute <= DAY ? minute : undefined;
}

/**
 * Reads the call windows of a valid plan.
 *
 * @returns `always` when there are none, or when they cover the whole week
 */
export function readCallWindows(windows: readonly CallWindow[]): CallWindows {
  return windows.length === 0 ? 'always' : joinAcrossWeeks(join(windows.flatMap(openingsOfWeek)));
}

/** @returns the length of the longest opening of an ordinary week (s) */
export function longestOpening(windows: CallWindows): number {
  return windows === 'always' ? Infinity : Math.max(0, ...windows.map(({ from, to }) => (to - from) * 60));
}

/** @returns whether people in `zone` may be called at `instant` */
export function isOpen(windows: CallWindows, zone: string, instant: Date): boolean {
  return mayRing(windows, zone, instant, 0);
}

/**
 * @param ringSeconds how long a phone rings that nobody answers
 * @returns whether people in `zone` may be dialed at `instant`: their phones ring inside one opening
 */
export function mayRing(windows: CallWindows, zone: string, instant: Date, ringSeconds: number): boolean {
  return nextOpening(windows, zone, instant, ringSeconds)?.getTime() === instant.getTime();
}

/**
 * Finds when people in `zone` may be dialed next.
 *
 * @param ringSeconds how long a phone rings that nobody answers
 * @returns the first time, from `instant` on, at which {@link mayRing} is true, perhaps `instant`; undefined: never
 */
export function nextOpening(windows: CallWindows, zone: string, instant: Date, ringSeconds = 0): Date | undefined {
  if (windows === 'always') return instant;
  for (const { opens, closes } of openingsFrom(windows, zone, instant.getTime())) {
    const start = Math.max(opens, instant.getTime());
    if (start < closes && start + ringSeconds * 1_000 <= closes) return new Date(start);
  }
  return undefined;
}

/** @returns when the opening at `instant` ends; null: it never does; undefined: there is none */
export function closesAt(windows: CallWindows, zone: string, instant: Date): Date | null | undefined {
  if (windows === 'always') return null;
  for (const { opens, closes } of openingsFrom(windows, zone, instant.getTime())) {
    if (opens > instant.getTime()) return undefined;
    if (closes > instant.getTime()) return new Date(closes);
  }
  return undefined;
}

/**
 * @param value what a contact's metadata has as its time zone
 * @returns the contact's own time zone, if the value names one; otherwise that of the plan
 */
export function zoneOf(value: unknown, planZone: string): string {
  return timeZoneOf(value) ?? planZone;
}

function openingsOfWeek(window: CallWindow): WeeklyOpening[] {
  const [from, to] = [minuteOfDay(window.from)!, minuteOfDay(window.to)!];
  const length = to > from ? to - from : to - from + DAY;
  return (window.days ?? days).map((day) => {
    const start = days.indexOf(day) * DAY + from;
    return { from: start, to: start + length };
  });
}

/** Joins openings that overlap or touch. */
function join(openings: readonly WeeklyOpening[]): WeeklyOpening[] {
  const joined: WeeklyOpening[] = [];
  for (const { from, to } of openings.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** Joins the last opening of the week with the first ones of the next week, if they overlap or touch. */
function joinAcrossWeeks([...openings]: WeeklyOpening[]): CallWindows {
  const last = openings.at(-1);
  while (last && openings[0]!.from + WEEK <= last.to) {
    if (openings[0] === last) return 'always';
    last.to = Math.max(last.to, openings.shift()!.to + WEEK);
  }
  return openings;
}

/**
 * Yields the openings in `zone` that end after about `instant`, in their order. Openings that touch are one, also when
 * they do so only because of a clock change.
 */
function* openingsFrom(weekly: readonly WeeklyOpening[], zone: string, instant: number): Generator<Opening> {
  let current: Opening | undefined;
  for (const { from, to } of localOpeningsFrom(weekly, instant)) {
    const opens = whenClocksShow(zone, from).first;
    const closes = whenClocksShow(zone, to).last;
    // A clock change skips the whole opening.
    if (opens === closes) continue;
    if (current && opens <= current.closes) {
      current.closes = closes;
      continue;
    }
    if (current) yield current;
    current = { opens, closes };
  }
  if (current) yield current;
}

/** Yields the openings as local times, in minutes since 1970. */
function* localOpeningsFrom(weekly: readonly WeeklyOpening[], instant: number): Generator<WeeklyOpening> {
  // Nowhere does the local time differ from UTC by more than a day.
  const earliest = Math.floor(instant / MINUTE) - DAY;
  const week = earliest - ((earliest - FIRST_MONDAY) % WEEK);
  for (let start = week - WEEK; start <= week + WEEKS_AHEAD * WEEK; start += WEEK) {
    for (const { from, to } of weekly) {
      if (start + to > earliest) yield { from: start + from, to: start + to };
    }
  }
}

/** When the clocks of a zone show a minute: it comes twice when they are set back. */
interface Occurrences {
  first: number;
  last: number;
}

/** By zone and minute. A plan for all zones needs about 400 times 4. */
const occurrences = new LRUCache<string, Occurrences>({ max: 20_000 });

/**
 * @param minute a local time, in minutes since 1970
 * @returns when the clocks of `zone` show it, in milliseconds since 1970 (UTC). For a time that the clocks skip, it is
 *   the first instant after the skipped times
 */
function whenClocksShow(zone: string, minute: number): Occurrences {
  const key = `${zone} ${minute}`;
  let found = occurrences.get(key);
  if (!found) {
    found = findOccurrences(zone, EPOCH.add({ minutes: minute }));
    occurrences.set(key, found);
  }
  return found;
}

function findOccurrences(zone: string, local: Temporal.PlainDateTime): Occurrences {
  const first = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const last = local.toZonedDateTime(zone, { disambiguation: 'later' });
  if (first.toPlainDateTime().equals(local)) {
    return { first: first.epochMilliseconds, last: last.epochMilliseconds };
  }
  // `first` is before the change, and `last` is after it.
  const change = first.getTimeZoneTransition('next')!.epochMilliseconds;
  return { first: change, last: change };
}
