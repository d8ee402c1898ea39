import { array, assert, constantFrom, date, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDialPlan, retryableResults } from '../src/dial-plans/dial-plan.js';
import { type AttemptResult, nextAttemptAt } from '../src/dial-plans/retry-schedule.js';

const endedAt = new Date('2026-06-05T12:00Z');

/** The pause before the next attempt (s), without its jitter; undefined when there is none. */
function pauseAfter(results: AttemptResult[], plan: object = {}): number | undefined {
  const read = readDialPlan({ remote_request_params: { from: '2442' }, ...plan }, { timeZone: 'UTC' });
  const next = nextAttemptAt(read, { participationId: 1, results, endedAt });
  const pause = next && (next.getTime() - endedAt.getTime()) / 1_000;
  // The pauses in these tests differ by more than their jitter.
  return pause === undefined ? undefined : [0, 120, 300, 900, 1_800].find((one) => Math.abs(pause - one) <= one / 10);
}

describe('the next attempt', () => {
  it.each<[AttemptResult[], number | undefined]>([
    [['busy'], 120],
    [['busy', 'busy'], 300],
    [['busy', 'busy', 'busy'], undefined],
    [['not_answered'], 900],
    [['not_answered', 'busy'], 120],
    [['machine'], 1_800],
    [['failed'], 900],
    [['failed', 'failed'], undefined],
    [['answered'], undefined],
    [['errored'], undefined],
    [['canceled'], undefined],
    [['busy', 'uncertain'], undefined],
    [[], undefined],
  ])('after %j comes after %s s by default', (results, pause) => {
    expect(pauseAfter(results)).toBe(pause);
  });

  it('comes after the last pause again and again', () => {
    const plan = { max_attempts: 10, retries: { busy: { max: 10, after: [120, 300] } } };
    expect(pauseAfter(['busy', 'busy', 'busy', 'busy', 'busy'], plan)).toBe(300);
  });

  it('counts the retries after each result on their own', () => {
    const plan = {
      max_attempts: 10,
      retries: { busy: { max: 1, after: [120] }, not_answered: { max: 2, after: [900, 1_800] } },
    };
    expect(pauseAfter(['not_answered', 'busy', 'not_answered'], plan)).toBe(1_800);
    expect(pauseAfter(['busy', 'not_answered', 'busy'], plan)).toBeUndefined();
    expect(pauseAfter(['machine'], plan)).toBeUndefined();
  });

  it('comes after an answer only until the person confirms', () => {
    expect(pauseAfter(['answered'], { until: 'confirmed' })).toBe(1_800);
    expect(pauseAfter(['answered', 'busy'], { until: 'confirmed' })).toBe(120);
    expect(pauseAfter(['answered', 'busy'])).toBeUndefined();
  });

  it('does not come without retries', () => {
    expect(retryableResults.map((result) => pauseAfter([result], { retries: {} }))).toEqual(
      retryableResults.map(() => undefined),
    );
    expect(pauseAfter(['busy'], { retries: { busy: { max: 0 } } })).toBeUndefined();
  });

  it('comes at once after a pause of 0', () => {
    expect(pauseAfter(['busy'], { retries: { busy: { max: 1, after: [0] } } })).toBe(0);
  });

  it('is what a simple count says', () => {
    const results = array(constantFrom<AttemptResult>(...retryableResults, 'errored'), { minLength: 1, maxLength: 12 });
    const retry = record({
      max: integer({ min: 0, max: 4 }),
      after: array(integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 4 }),
    });
    const plans = record(
      {
        until: constantFrom('answered', 'confirmed'),
        max_attempts: integer({ min: 1, max: 10 }),
        retries: record(Object.fromEntries(retryableResults.map((one) => [one, retry])), { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    );
    const ends = date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true });
    assert(
      property(plans, results, integer({ min: 1 }), ends, (plan, given, participationId, end) => {
        const read = readDialPlan({ remote_request_params: { from: '1' }, ...plan }, { timeZone: 'UTC' });
        const ask = (): Date | undefined => nextAttemptAt(read, { participationId, results: given, endedAt: end });
        const rule = Object.entries(read.retries).find(([result]) => result === given.at(-1))?.[1];
        // The pauses of all retries that this result can have, one after the other.
        const pauses = rule ? Array.from({ length: rule.max }, (_, nth) => rule.after[nth] ?? rule.after.at(-1)!) : [];
        const used = given.slice(0, -1).filter((result) => result === given.at(-1)).length;
        const isOver = given.length >= read.maxAttempts || (read.until === 'answered' && given.includes('answered'));
        const pause = isOver ? undefined : pauses[used];
        if (pause === undefined) {
          expect(ask()).toBeUndefined();
        } else {
          expect(ask()!.getTime()).toBeGreaterThanOrEqual(end.getTime() + pause * 900 - 1);
          expect(ask()!.getTime()).toBeLessThanOrEqual(end.getTime() + pause * 1_100 + 1);
        }
        expect(ask()).toEqual(ask());
      }),
    );
  });

  it('spreads the pauses of many people evenly over ± 10 %', () => {
    const plan = readDialPlan({ remote_request_params: { from: '2442' } }, { timeZone: 'UTC' });
    const pauses = Array.from({ length: 2_000 }, (_, participationId) => {
      const next = nextAttemptAt(plan, { participationId, results: ['not_answered'], endedAt })!;
      return (next.getTime() - endedAt.getTime()) / 1_000;
    });
    const tenths = Array.from({ length: 10 }, (_, tenth) => {
      const [min, max] = [810 + tenth * 18, 828 + tenth * 18];
      return pauses.filter((pause) => pause >= min && pause < max).length;
    });
    expect(tenths.reduce((sum, one) => sum + one, 0)).toBe(2_000);
    expect(Math.min(...tenths)).toBeGreaterThan(100);
  });
});
