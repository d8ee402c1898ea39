import { type Arbitrary, assert, array, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallWindow, mayRing, nextOpening } from '../src/dial-plans/call-windows.js';
import { RESERVED_AHEAD_SECONDS, type StoredDialPlan, readDialPlan } from '../src/dial-plans/dial-plan.js';
import { type SampledCalls, assumeStatistics } from '../src/forecast/call-statistics.js';
import { durationText } from '../src/forecast/duration-text.js';
import { callsToCome, followUpsOf } from '../src/forecast/follow-ups.js';
import { type CalloutToDial, type CountedPeople, type ForecastInput, forecastAt } from '../src/forecast/forecast.js';

const AT = Date.parse('2026-03-28T10:30:00Z');
const RING = 30;

const sample = (result: string, calls: number, seconds: number, confirmed = 0): SampledCalls => ({
  isOwn: false,
  result,
  calls,
  seconds,
  pursued: calls,
  confirmed,
});
const statistics = assumeStatistics(
  [sample('answered', 600, 40, 480), sample('busy', 150, 4), sample('not_answered', 200, 30), sample('failed', 50, 3)],
  {},
);

const inZone = (zone: string | null, people: number, attempts = 0): CountedPeople => ({
  zone,
  attempts,
  isUnderWay: false,
  dueAt: null,
  people,
});

function callout(plan: Partial<StoredDialPlan> | null, people: readonly CountedPeople[]): CalloutToDial {
  const stored = plan && { remote_request_params: { from: '2442', timeout: RING }, ...plan };
  return {
    priority: 'normal',
    startsAt: null,
    expiresAt: null,
    plan: stored && readDialPlan(stored, { timeZone: 'Asia/Phnom_Penh' }),
    people,
  };
}

function forecast(one: CalloutToDial, more: Partial<ForecastInput> = {}, at = AT) {
  const leftOut = { do_not_call: 0, already_in_callout: 0 };
  return forecastAt(at, { callout: one, others: [], callsPerSecond: 0.95, statistics, leftOut, ...more });
}

/** @returns how long something takes from {@link AT} on (s) */
const after = (time: string | null): number => (Date.parse(time!) - AT) / 1_000;

/** How often, and after which pauses (s), a result is retried. */
type Pauses = { max: number; after: number[] };

const plans: Arbitrary<Partial<StoredDialPlan>> = record({
  until: constantFrom('answered' as const, 'confirmed' as const),
  max_attempts: integer({ min: 1, max: 6 }),
  retries: record({
    busy: constantFrom<Pauses>({ max: 3, after: [60, 300] }, { max: 0, after: [] }),
    not_answered: constantFrom<Pauses>({ max: 2, after: [900] }, { max: 5, after: [1, 30] }),
    answered: constantFrom<Pauses>({ max: 2, after: [1_800] }),
  }),
  call_windows: constantFrom<CallWindow[]>(
    [],
    [{ from: '08:00', to: '20:00' }],
    [
      { from: '23:00', to: '00:30' },
      { from: '12:00', to: '12:05' },
    ],
  ),
});
const zones = constantFrom('Asia/Phnom_Penh', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', null);
const crowds = array(
  record({ zone: zones, people: integer({ min: 1, max: 3_000 }), attempts: integer({ min: 0, max: 3 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
).map((groups) => groups.map(({ zone, people, attempts }) => inZone(zone, people, attempts)));

describe('a forecast', () => {
  it('of nobody has no end', () => {
    for (const plan of [null, {}]) {
      expect(forecast(callout(plan, []))).toMatchObject({
        people: 0,
        expected_calls: 0,
        first_round_ends_at: null,
        ends_at: null,
        calls_per_second: 0.95,
        feasible: true,
      });
    }
  });

  it('divides people by the pace', () => {
    const body = forecast({ ...callout(null, [inZone(null, 10_000)]), expiresAt: AT + 3_600_000 });
    expect(body).toMatchObject({
      calls_per_second: 0.95,
      expected_calls: 10_000,
      feasible: false,
      because: '10,000 people at 0.95 calls a second take 2 h 55 min; it expires in 1 h',
    });
    expect(after(body.first_round_ends_at)).toBeCloseTo(10_000 / 0.95, -1);
  });

  it('is never earlier with more people, another callout, or longer pauses', () => {
    assert(
      property(plans, crowds, integer({ min: 1, max: 500 }), zones, (plan, people, more, zone) => {
        const base = forecast(callout(plan, people));
        const bigger = forecast(callout(plan, [...people, inZone(zone, more)]));
        const shared = forecast(callout(plan, people), { others: [callout({}, [inZone(null, more)])] });
        const slower = Object.entries(plan.retries!).map(([result, { max, after: pauses = [] }]) => [
          result,
          { max, after: pauses.map((pause) => 2 * pause) },
        ]);
        const patient = forecast(callout({ ...plan, retries: Object.fromEntries(slower) }, people));
        expect(bigger.expected_calls).toBeGreaterThanOrEqual(base.expected_calls + more - 1);
        // A step is half a percent of the time.
        for (const other of [bigger, shared, patient])
          expect(after(other.ends_at)).toBeGreaterThan(0.98 * after(base.ends_at));
        expect(after(shared.first_round_ends_at ?? shared.ends_at)).toBeGreaterThan(
          0.98 * after(base.first_round_ends_at ?? base.ends_at),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('has its last dials inside the windows', () => {
    const ring = RING + RESERVED_AHEAD_SECONDS;
    assert(
      property(
        plans,
        zones,
        integer({ min: 1, max: 5_000 }),
        integer({ min: 0, max: 86_400 }),
        (plan, zone, people, late) => {
          const at = AT + late * 1_000;
          const one = callout(plan, [inZone(zone, people)]);
          const body = forecast(one, {}, at);
          const first = new Date(body.first_round_ends_at!);
          const where = zone ?? 'Asia/Phnom_Penh';
          const windows = one.plan!.callWindows;
          const near = [-1, 0, 1].some((ms) => mayRing(windows, where, new Date(first.getTime() + ms), ring));
          expect(near, `${first.toISOString()} in ${where}`).toBe(true);
          expect(first.getTime()).toBeGreaterThanOrEqual(
            nextOpening(windows, where, new Date(at), ring)!.getTime() - 1,
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('waits for a window that is closed, in each zone, and when the clocks are set', () => {
    const window = { call_windows: [{ from: '02:15', to: '02:45' }] };
    const end = (zone: string) => forecast(callout(window, [inZone(zone, 1)])).first_round_ends_at;
    expect(end('Asia/Phnom_Penh')).toMatch(/^2026-03-28T19:15/);
    // In Germany, that half hour does not exist on this night.
    expect(end('Europe/Berlin')).toMatch(/^2026-03-30T00:15/);
    const both = forecast(callout(window, [inZone('Europe/Berlin', 1), inZone('Asia/Phnom_Penh', 1)]));
    expect(both.first_round_ends_at).toBe(end('Europe/Berlin'));
    expect(both.time_zones).toEqual({ 'Europe/Berlin': 1, 'Asia/Phnom_Penh': 1 });
    const elsewhere = forecast(callout(window, [inZone('Europe/berlin', 2), inZone('nowhere', 3)]));
    expect(elsewhere.time_zones).toEqual({ none: 3, 'Europe/Berlin': 2 });
  });

  it('makes the attempts of the plan', () => {
    const calls = (plan: Partial<StoredDialPlan>, attempts = 0) =>
      forecast(callout(plan, [inZone(null, 1_000, attempts)])).expected_calls;
    expect(calls({ max_attempts: 1 })).toBe(1_000);
    expect(calls({ retries: {} })).toBe(1_000);
    const busy = { busy: { max: 1, after: [60] } };
    expect(calls({ retries: busy })).toBe(1_150);
    expect(calls({ retries: busy, max_attempts: 5 }, 1)).toBe(1_000);
    expect(calls({ max_attempts: 3 }, 2)).toBe(1_000);
    const answered = { answered: { max: 1, after: [60] } };
    expect(calls({ retries: answered })).toBe(1_000);
    // A fifth of those who answer do not confirm.
    expect(calls({ retries: answered, until: 'confirmed' })).toBe(1_120);
  });

  it('knows the limits of the plan and of the installation', () => {
    const people = [inZone(null, 5_000)];
    const seconds = 0.6 * 40 + 0.15 * 4 + 0.2 * 30 + 0.05 * 3;
    const pace = (plan: Partial<StoredDialPlan>, more: Partial<ForecastInput> = {}) =>
      forecast(callout(plan, people), { callsPerSecond: 10, ...more }).calls_per_second;
    expect(pace({ calls_per_second: 2 })).toBe(2);
    expect(pace({ max_calls_in_flight: 31 })).toBeCloseTo(31 / (seconds + 0.25), 1);
    expect(pace({}, { maxCallsInFlight: 62 })).toBeCloseTo(62 / (seconds + 0.25), 1);
    expect(pace({}, { others: [callout({}, [inZone(null, 50_000)])] })).toBe(5);
    expect(pace({}, { others: [callout({ calls_per_second: 1 }, [inZone(null, 50_000)])] })).toBe(9);
    expect(pace({}, { others: [{ ...callout({}, [inZone(null, 50_000)]), priority: 'low' }] })).toBe(10);
    // What was measured replaces what holds the callout back.
    expect(pace({}, { measured: { all: 4, own: 4 } })).toBe(4);
    expect(pace({ calls_per_second: 2 }, { measured: { all: 9, own: 1.5 } })).toBe(1.5);
  });

  it('waits for a more urgent callout', () => {
    const urgent: CalloutToDial = { ...callout(null, [inZone(null, 950)]), priority: 'emergency' };
    const body = forecast(callout(null, [inZone(null, 950)]), { others: [urgent] });
    expect(after(body.first_round_ends_at)).toBeCloseTo(2_000, -2);
    expect(body.shared_with).toBe(1);
    expect(forecast(urgent, { others: [callout(null, [inZone(null, 950)])] }).shared_with).toBe(0);
  });

  it('follows calls that are under way', () => {
    const underWay = { ...inZone(null, 100, 1), isUnderWay: true };
    expect(forecast(callout({ retries: {} }, [underWay]))).toMatchObject({
      expected_calls: 0,
      first_round_ends_at: null,
    });
    const body = forecast(callout({ retries: { busy: { max: 1, after: [3_600] } } }, [underWay]));
    expect(body.expected_calls).toBe(15);
    expect(after(body.ends_at)).toBeGreaterThan(3_500);
  });

  it('says when it cannot end', () => {
    expect(forecast({ ...callout({}, [inZone(null, 1)]), expiresAt: AT - 1 })).toMatchObject({
      feasible: false,
      because: 'it has expired',
    });
    // A window that is too short for a phone to ring was stored with another timeout.
    const short = callout({ call_windows: [{ from: '08:00', to: '08:01' }] }, [inZone(null, 1)]);
    expect(forecast({ ...short, plan: { ...short.plan!, ringSeconds: 90 } })).toMatchObject({
      ends_at: null,
      feasible: false,
      because: expect.stringMatching(/^it never ends/),
    });
  });
});

describe('the assumed calls', () => {
  it('are those of the callout, else those of the installation, else a default', () => {
    const own = { ...sample('answered', 50, 10), isOwn: true };
    const others = [sample('answered', 6_200, 20), sample('not_answered', 3_800, 30)];
    expect(assumeStatistics([own, ...others], {})).toMatchObject({ source: 'the last 50 calls of this callout' });
    expect(assumeStatistics([{ ...own, calls: 49 }, ...others], {})).toMatchObject({
      source: 'the last 10,000 calls',
      results: { answered: { share: 0.62, seconds: 20 } },
    });
    expect(assumeStatistics([{ ...own, calls: 49 }], {})).toMatchObject({ source: 'a default' });
  });

  it('count machines as answers if the plan does not detect them', () => {
    const calls = [sample('answered', 60, 30), sample('machine', 20, 10), sample('canceled', 20, 1)];
    expect(assumeStatistics(calls, {}).results).toMatchObject({
      answered: { share: 0.8, seconds: 25 },
      other: { share: 0.2 },
    });
    expect(assumeStatistics(calls, { machine_detection: 'Enable' }).results.machine.share).toBe(0.2);
  });
});

it('follow-ups are shares of the people who were dialed', () => {
  assert(
    property(plans, (stored) => {
      const { plan } = callout(stored, []);
      const followUps = followUpsOf(plan!, statistics);
      expect(followUps.length).toBeLessThan(plan!.maxAttempts);
      for (const some of followUps) {
        const shares = some.reduce((sum, { share }) => sum + share, 0);
        expect(shares).toBeGreaterThan(0);
        expect(shares).toBeLessThanOrEqual(1);
      }
      expect(callsToCome(followUps, 1)).toBeLessThan(plan!.maxAttempts);
    }),
  );
});

it.each([
  [0, '0 s'],
  [-5_000, '0 s'],
  [45_400, '45 s'],
  [90_000, '1 min 30 s'],
  [3_600_000, '1 h'],
  [10_526_000, '2 h 55 min'],
  [3 * 86_400_000 + 3_599_000, '3 d'],
  [30 * 3_600_000, '1 d 6 h'],
])('%d ms are %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});
