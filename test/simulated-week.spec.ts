import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCallLimits } from '../src/config/call-limits.js';
import { nextCallAt } from '../src/dial-plans/call-budget.js';
import { mayRing, nextOpening, zoneOf } from '../src/dial-plans/call-windows.js';
import { type DialPlan, type RetryableResult, readDialPlan, retryableResults } from '../src/dial-plans/dial-plan.js';
import { nextAttemptAt } from '../src/dial-plans/retry-schedule.js';
import { hashToUnit } from '../src/random/hash-to-unit.js';
import { WallClock } from './support/wall-clock.js';

/** The week in which clocks are set in Europe, and not in Cambodia. */
const START = Date.parse('2026-03-26T15:00Z');
const WEEK = 7 * 86_400_000;
const PEOPLE = 300;
const ZONES = ['Europe/Berlin', 'Asia/Phnom_Penh', 'America/New_York', 'Australia/Lord_Howe', 'nowhere'];
const LIMITS = readCallLimits('2/30m,3/6h,5/1d');

const STORED = {
  remote_request_params: { from: '2442', timeout: 45 },
  until: 'confirmed',
  max_attempts: 8,
  retries: {
    busy: { max: 4, after: [60, 120, 300] },
    not_answered: { max: 3, after: [900, 3_600] },
    machine: { max: 2, after: [1_800] },
    failed: { max: 1, after: [600] },
    answered: { max: 2, after: [7_200] },
  },
  call_windows: [
    { from: '08:00', to: '12:00' },
    { from: '12:00', to: '13:30', days: ['sat', 'sun'] },
    { from: '15:00', to: '20:15' },
    { from: '22:00', to: '02:30', days: ['sat'] },
  ],
  time_zone_key: 'zone',
} as const;

interface Attempt {
  dialedAt: number;
  endedAt: number;
  result: RetryableResult | 'confirmed';
}

interface Person {
  id: number;
  zone: string;
  attempts: Attempt[];
  /** When the person is looked at next. */
  dueAt: number;
}

/** Calls everybody for a week, with a clock that jumps from one decision to the next. */
function simulateWeek(plan: DialPlan, seed: number): Person[] {
  const people = Array.from({ length: PEOPLE }, (_, id): Person => {
    const zone = zoneOf(ZONES[Math.floor(hashToUnit(seed, id, 'zone') * ZONES.length)], plan.timeZone);
    return { id, zone, attempts: [], dueAt: START + Math.floor(hashToUnit(seed, id, 'start') * 3_600_000) };
  });
  for (const person of people) while (person.dueAt < START + WEEK) step(plan, person, seed);
  return people;
}

/** Does what the gate and the end of a call decide: the person waits, or is called. */
function step(plan: DialPlan, person: Person, seed: number): void {
  const { zone, attempts, id } = person;
  const now = new Date(person.dueAt);
  const dials = attempts.map(({ dialedAt }) => new Date(dialedAt));
  const budget = nextCallAt(LIMITS, dials, now);
  const opening = nextOpening(plan.callWindows, zone, budget, plan.ringSeconds)!;
  if (opening > now) {
    person.dueAt = opening.getTime();
    return;
  }
  attempts.push(call(person.dueAt, hashToUnit(seed, id, attempts.length)));
  const last = attempts.at(-1)!;
  const results = attempts.map(({ result }) => result).filter((result) => result !== 'confirmed');
  const isConfirmed = last.result === 'confirmed';
  const ended = { participationId: id, results, endedAt: new Date(last.endedAt) };
  person.dueAt = (isConfirmed ? undefined : nextAttemptAt(plan, ended)?.getTime()) ?? Infinity;
}

function call(dialedAt: number, chance: number): Attempt {
  const results: Attempt['result'][] = ['confirmed', ...retryableResults, 'busy', 'not_answered'];
  const at = chance * results.length;
  return { dialedAt, endedAt: dialedAt + Math.floor((at % 1) * 45_000), result: results[Math.floor(at)]! };
}

describe('a week of a callout', () => {
  const plan = readDialPlan(STORED, { timeZone: 'Asia/Bangkok' });
  const zones = ZONES.map((zone) => zoneOf(zone, plan.timeZone));
  const models = new Map(
    zones.map((zone) => {
      const clock = new WallClock(zone, new Date(START), 8);
      return [zone, clock.openMinutes(STORED.call_windows)];
    }),
  );

  it('calls everybody as the plan says, whatever happens', () => {
    assert(
      property(integer({ min: 0 }), (seed) => {
        for (const person of simulateWeek(plan, seed)) check(person);
      }),
      { numRuns: 5 },
    );
  });

  it('calls again and again, in all zones', () => {
    const people = simulateWeek(plan, 1);
    expect(new Set(people.map(({ zone }) => zone))).toEqual(new Set([...zones.slice(0, 4), 'Asia/Bangkok']));
    expect(people.every(({ attempts }) => attempts.length > 0)).toBe(true);
    expect(Math.max(...people.map(({ attempts }) => attempts.length))).toBeGreaterThanOrEqual(6);
    expect(people).toEqual(simulateWeek(plan, 1));
  });

  function check({ zone, attempts }: Person): void {
    const model = models.get(zone)!;
    expect(attempts.length).toBeLessThanOrEqual(STORED.max_attempts);
    for (const [nth, { dialedAt, result }] of attempts.entries()) {
      expect(model.mayRing(dialedAt, 45)).toBe(true);
      expect(mayRing(plan.callWindows, zone, new Date(dialedAt), 45)).toBe(true);
      for (const { calls, seconds } of LIMITS) {
        const recent = attempts.filter(
          (other) => dialedAt - other.dialedAt < seconds * 1_000 && other.dialedAt <= dialedAt,
        );
        expect(recent.length).toBeLessThanOrEqual(calls);
      }
      const next = attempts[nth + 1];
      if (!next) continue;
      expect(result).not.toBe('confirmed');
      const { max, after } = STORED.retries[result as RetryableResult];
      const retry = attempts.slice(0, nth + 1).filter((one) => one.result === result).length;
      expect(retry).toBeLessThanOrEqual(max);
      const pause = after[Math.min(retry, after.length) - 1]!;
      expect(next.dialedAt - attempts[nth]!.endedAt).toBeGreaterThanOrEqual(pause * 900 - 1);
    }
    const last = attempts.at(-1)!;
    if (last.result === 'confirmed') return;
    // Who is not called again has used up the attempts, those after this result, or the week.
    const used = attempts.filter(({ result }) => result === last.result).length;
    const isDone = attempts.length === STORED.max_attempts || used > STORED.retries[last.result].max;
    const isOver = last.endedAt + 2 * 86_400_000 > START + WEEK;
    expect(isDone || isOver).toBe(true);
  }
});
