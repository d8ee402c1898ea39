import { describe, expect, it } from 'vitest';
import type { CalloutPriority } from '../src/callouts/callout-priority.js';
import { type StoredDialPlan, readDialPlan } from '../src/dial-plans/dial-plan.js';
import { assumeStatistics } from '../src/forecast/call-statistics.js';
import { type CalloutToDial, type ForecastInput, forecastAt } from '../src/forecast/forecast.js';
import { hashToUnit } from '../src/random/hash-to-unit.js';
import { behaviorOf } from '../src/simulator/person-behavior.js';
import {
  type ReferenceCallout,
  type ReferencePerson,
  type ReferenceRun,
  type SimulatedCall,
  dialEverybody,
} from './support/dialing-reference.js';

/** Half past five in the afternoon in Cambodia, on the evening before Germany's clocks are set forward. */
const START = Date.parse('2026-03-28T10:30:00Z');
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);
const behavior = { speed: 1, busy: 0.1, noAnswer: 0.2, failed: 0.02, machine: 0.05, confirms: 0.9, allowedOrigins: [] };
const TALK = 25;

interface Scenario {
  name: string;
  perSecond: number;
  callouts: { people: number; priority?: CalloutPriority; zones?: string[]; plan: Partial<StoredDialPlan> }[];
}

const scenarios: Scenario[] = [
  {
    name: 'two callouts, one with windows in three zones',
    perSecond: 0.95,
    callouts: [
      {
        people: 800,
        zones: ['Asia/Phnom_Penh', 'Europe/Berlin', 'America/New_York'],
        plan: { call_windows: [{ from: '09:00', to: '18:00' }] },
      },
      {
        people: 700,
        plan: {
          until: 'confirmed',
          retries: { busy: { max: 2, after: [60] }, not_answered: { max: 3, after: [300, 600] } },
        },
      },
    ],
  },
  {
    name: 'limits of plans, and a less urgent callout',
    perSecond: 4.75,
    callouts: [
      { people: 1_600, plan: { max_calls_in_flight: 25 } },
      { people: 1_600, plan: { calls_per_second: 0.5, max_attempts: 4 } },
      { people: 800, priority: 'low', plan: { call_windows: [{ from: '08:00', to: '18:00' }], max_attempts: 2 } },
    ],
  },
];

function simulate(seed: number, name: string, person: ReferencePerson, nth: number): SimulatedCall {
  const { ending, machine, ring, keys } = behaviorOf({ ...behavior, seed }, `${name}-${person.id}`, nth);
  if (ending === 'answered') {
    const result = machine ? 'machine' : keys.length > 0 ? 'confirmed' : 'answered';
    return { result, seconds: ring + TALK };
  }
  return { result: ending === 'no-answer' ? 'not_answered' : ending, seconds: ring };
}

function prepare(scenario: Scenario, seed: number): ReferenceCallout[] {
  return scenario.callouts.map(({ people, zones = ['UTC'], priority = 'normal', plan }, index) => ({
    priority,
    plan: readDialPlan(
      { remote_request_params: { from: '2442', machine_detection: 'Enable', timeout: 30 }, ...plan },
      { timeZone: 'Asia/Phnom_Penh' },
    ),
    people: Array.from({ length: people }, (_, id) => ({
      id,
      zone: zones.length > 1 ? zones[Math.floor(hashToUnit(seed, id, 'zone') * zones.length)]! : 'Asia/Phnom_Penh',
    })),
    call: (person, nth) => {
      const call = simulate(seed, `${scenario.name}-${index}`, person, nth);
      return call.result === 'confirmed' && plan.until !== 'confirmed' ? { ...call, result: 'answered' } : call;
    },
  }));
}

/** What the installation knows: the calls of an earlier run, with another seed. */
const statistics = (() => {
  const calls = Array.from({ length: 10_000 }, (_, id) => simulate(99, 'earlier', { id, zone: 'UTC' }, 1));
  const results = ['answered', 'machine', 'busy', 'not_answered', 'failed'];
  const samples = results.map((result) => {
    const some = calls.filter((call) => call.result === result || (result === 'answered' && isConfirmed(call)));
    const seconds = some.reduce((sum, call) => sum + call.seconds, 0) / some.length;
    return {
      isOwn: false,
      result,
      calls: some.length,
      seconds,
      pursued: some.length,
      confirmed: count(some, isConfirmed),
    };
  });
  return assumeStatistics(samples, { machine_detection: 'Enable' });
})();

function isConfirmed({ result }: SimulatedCall): boolean {
  return result === 'confirmed';
}

function count<T>(all: readonly T[], includes: (one: T) => boolean): number {
  return all.filter(includes).length;
}

function toDial({ priority, plan, people }: ReferenceCallout): CalloutToDial {
  const zones = new Set(people.map(({ zone }) => zone));
  return {
    priority,
    plan,
    startsAt: null,
    expiresAt: null,
    people: [...zones].map((zone) => ({
      zone,
      attempts: 0,
      isUnderWay: false,
      dueAt: null,
      people: count(people, (person) => person.zone === zone),
    })),
  };
}

function forecastOf(callouts: readonly ReferenceCallout[], index: number, callsPerSecond: number) {
  const all = callouts.map(toDial);
  const input: ForecastInput = {
    callout: all[index]!,
    others: all.toSpliced(index, 1),
    callsPerSecond,
    statistics,
    leftOut: { do_not_call: 0, already_in_callout: 0 },
  };
  return forecastAt(START, input);
}

const minutes = (at: number | string): number => (new Date(at).getTime() - START) / 60_000;

describe.each(scenarios)('a forecast for $name', (scenario) => {
  it('is at most 15 % away from what happens, for ten seeds', () => {
    const rows = SEEDS.flatMap((seed) => {
      const callouts = prepare(scenario, seed);
      const runs = dialEverybody(callouts, scenario.perSecond, START);
      return runs.map((run, index) => compare(seed, index, run, forecastOf(callouts, index, scenario.perSecond)));
    });
    console.table(rows);
    for (const row of rows) {
      for (const ratio of [row.first_round, row.end, row.calls]) {
        expect(ratio, `${JSON.stringify(row)}`).toBeGreaterThan(0.85);
        expect(ratio, `${JSON.stringify(row)}`).toBeLessThan(1.15);
      }
    }
  });
});

function compare(seed: number, callout: number, run: ReferenceRun, forecast: ReturnType<typeof forecastOf>) {
  const round = (value: number) => Number(value.toFixed(3));
  const happened = minutes(run.endedAt);
  return {
    seed,
    callout,
    happened: round(happened),
    forecast: round(minutes(forecast.ends_at!)),
    end: round(minutes(forecast.ends_at!) / happened),
    first_round: round(minutes(forecast.first_round_ends_at!) / minutes(run.firstRoundEndedAt)),
    calls: round(forecast.expected_calls / run.dials.length),
  };
}
