import {
  type Arbitrary,
  array,
  assert,
  constantFrom,
  integer,
  oneof,
  option,
  property,
  record,
  shuffledSubarray,
  tuple,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CallWindow,
  type CallWindows,
  closesAt,
  days,
  isOpen,
  mayRing,
  nextOpening,
  readCallWindows,
} from '../src/dial-plans/call-windows.js';
import { type OpenMinutes, WallClock, clockAt } from './support/wall-clock.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC', 'Asia/Kolkata', 'US/Pacific', 'EST5EDT'];

/** Days on which the clocks of most zones that have summer time are set, for zones without. */
const USUAL_CHANGES = ['2026-03-29', '2026-10-25'].map((date) => Date.parse(date));

/** Times of the day; most are near those at which clocks are set. */
const minutes = oneof(
  constantFrom(0, 1, 30, 59, 60, 90, 119, 120, 121, 150, 179, 180, 210, 1_380, 1_410, 1_439),
  integer({ min: 0, max: 1_439 }),
);
const lengths = oneof(constantFrom(1, 30, 60, 90, 120, 720, 1_439), integer({ min: 1, max: 1_439 }));

const windows: Arbitrary<CallWindow> = tuple(minutes, lengths, option(shuffledSubarray([...days]))).map(
  ([from, length, some]) => {
    const to = from + length === 1_440 ? 1_440 : (from + length) % 1_440;
    return { from: timeOf(from), to: timeOf(to), ...(some && { days: some }) };
  },
);

/** Windows, some of which begin where another one ends. */
const plans: Arbitrary<CallWindow[]> = array(tuple(windows, option(lengths)), { minLength: 1, maxLength: 3 }).map(
  (items) =>
    items.flatMap(([window, next]) => {
      const end = Number(window.to.slice(0, 2)) * 60 + Number(window.to.slice(3));
      if (!next || end + next > 1_440) return [window];
      return [window, { from: timeOf(end % 1_440), to: timeOf(end + next), ...(window.days && { days: window.days }) }];
    }),
);

const rings = constantFrom(0, 1, 30, 60, 61, 90);

function timeOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

/** @returns the days of 2026 on which the clocks of a zone are set */
function changesOf(zone: string): number[] {
  const offsets = Array.from({ length: 366 }, (_, day) => {
    const at = Date.parse('2026-01-01') + day * DAY;
    return { at, offset: clockAt(zone, at / 60_000) - at / 60_000 };
  });
  const changes = offsets.filter(({ offset }, day) => (offsets[day + 1]?.offset ?? offset) !== offset);
  return changes.length > 0 ? changes.map(({ at }) => at) : USUAL_CHANGES;
}

/** Compares all decisions at one instant with those of the model. */
function compare(compiled: CallWindows, model: OpenMinutes, zone: string, at: number, ring: number): void {
  const instant = new Date(at);
  const isOpenNow = model.isOpen(at);
  const shown = (time: Date | number | null | undefined): string => {
    // What happens after the days that the model knows is not compared.
    return time === undefined || time === null || Number(time) >= model.end ? 'later' : new Date(time).toISOString();
  };
  expect({
    zone,
    isOpen: isOpen(compiled, zone, instant),
    mayRing: mayRing(compiled, zone, instant, ring),
    next: shown(nextOpening(compiled, zone, instant, ring)),
    isClosed: closesAt(compiled, zone, instant) === undefined,
    closes: shown(closesAt(compiled, zone, instant)),
  }).toEqual({
    zone,
    isOpen: isOpenNow,
    mayRing: model.mayRing(at, ring),
    next: shown(model.nextOpening(at, ring)),
    isClosed: !isOpenNow,
    closes: shown(isOpenNow ? model.closesAt(at) : undefined),
  });
}

describe('call windows decide what the model decides', () => {
  it('in every time zone, around the days on which clocks are set', () => {
    const cases = zones.flatMap((zone) => changesOf(zone).map((day) => ({ zone, day })));
    for (const { zone, day } of cases) {
      const clock = new WallClock(zone, new Date(day - DAY), 5);
      assert(
        property(plans, array(integer({ min: -DAY, max: 2 * DAY }), { minLength: 6, maxLength: 6 }), rings, check),
        { numRuns: 1 },
      );
      function check(plan: CallWindow[], offsets: number[], ring: number): void {
        const compiled = readCallWindows(plan);
        const model = clock.openMinutes(plan);
        for (const offset of offsets) compare(compiled, model, zone, day + offset, ring);
      }
    }
  });

  it('in any year and zone', () => {
    const at = integer({ min: Date.parse('1975-01-01'), max: Date.parse('2037-12-01') });
    const instants = oneof(
      at,
      integer({ min: -DAY, max: 2 * DAY }).map((ms) => Date.parse('2028-02-29') + ms),
    );
    const cases = record({ zone: constantFrom(...zones), at: instants, plan: plans, ring: rings });
    assert(
      property(cases, ({ zone, at: instant, plan, ring }) => {
        const model = new WallClock(zone, new Date(instant), 9).openMinutes(plan);
        compare(readCallWindows(plan), model, zone, instant, ring);
      }),
      { numRuns: 150 },
    );
  });
});
