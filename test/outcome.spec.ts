import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallFacts, type CallResult, resultOf } from '../src/outcomes/call-result.js';
import { type OutcomeFacts, type PlanDecision, outcomeOf } from '../src/outcomes/outcome.js';
import { outcomes } from '../src/outcomes/outcome-names.js';
import { hasEnded, phoneCallStatuses } from '../src/phone-calls/phone-call.machine.js';

const DIALED_AT = Date.UTC(2026, 0, 1);

const call = (facts: Partial<CallFacts>): CallFacts => ({
  status: 'created',
  dialedAt: null,
  endedAt: null,
  isAtProvider: false,
  isMachine: false,
  isOptedOut: false,
  isRecalled: false,
  ...facts,
});

/** A call that was dialed at a minute. */
const dialed = (status: CallFacts['status'], minute = 0, more: Partial<CallFacts> = {}): CallFacts => {
  const dialedAt = new Date(DIALED_AT + minute * 60_000);
  return call({ status, dialedAt, endedAt: hasEnded(status) ? dialedAt : null, isAtProvider: true, ...more });
};

const facts = (calls: CallFacts[], more: Partial<OutcomeFacts> = {}): OutcomeFacts => ({
  confirmed: false,
  calls,
  ...more,
});

/** A plan with three attempts, a minute after the end of the one before. Only busy and unanswered calls are retried. */
const plan: PlanDecision = {
  pursuesConfirmation: false,
  nextAttemptAt: (results: readonly CallResult[], endedAt: Date) =>
    results.length < 3 && ['busy', 'not_answered'].includes(results.at(-1)!)
      ? new Date(endedAt.getTime() + 60_000)
      : undefined,
};

const anyCall: fc.Arbitrary<CallFacts> = fc.record({
  status: fc.constantFrom(...phoneCallStatuses),
  dialedAt: fc.option(fc.date({ noInvalidDate: true, min: new Date(DIALED_AT), max: new Date(DIALED_AT * 2) })),
  endedAt: fc.option(fc.date({ noInvalidDate: true, min: new Date(DIALED_AT), max: new Date(DIALED_AT * 2) })),
  isAtProvider: fc.boolean(),
  isMachine: fc.boolean(),
  isOptedOut: fc.boolean(),
  isRecalled: fc.boolean(),
});
const anyFacts: fc.Arbitrary<OutcomeFacts> = fc.record({
  confirmed: fc.boolean(),
  calls: fc.array(anyCall, { maxLength: 5 }),
  ending: fc.constantFrom(undefined, 'canceled', 'expired'),
  optedOut: fc.boolean(),
  plan: fc.constantFrom(undefined, plan, { ...plan, pursuesConfirmation: true }),
});

describe('a recalled call', () => {
  const recalled = dialed('canceled', 5, { isRecalled: true });

  it('is no result: the person waits again, or keeps what the call before came to', () => {
    expect(outcomeOf(facts([recalled], { plan })).outcome).toBe('waiting');
    expect(outcomeOf(facts([dialed('busy'), recalled], { plan }))).toMatchObject({ outcome: 'retrying', attempts: 2 });
    expect(outcomeOf(facts([dialed('busy'), recalled], { plan, ending: 'canceled' })).outcome).toBe('busy');
    expect(outcomeOf(facts([recalled], { plan, ending: 'canceled' })).outcome).toBe('canceled');
    expect(outcomeOf(facts([recalled], { plan, ending: 'expired' })).outcome).toBe('expired');
    expect(outcomeOf(facts([recalled])).outcome).toBe('canceled');
  });

  it('counts as what happened if it was answered all the same', () => {
    expect(outcomeOf(facts([dialed('completed', 5, { isRecalled: true })], { ending: 'canceled' })).outcome).toBe(
      'answered',
    );
  });
});

describe('the outcome of a participation', () => {
  const later = call({ status: 'canceled', isOptedOut: true });
  it.each<[string, OutcomeFacts, string]>([
    ['without a call', facts([]), 'waiting'],
    ['whose call was not queued yet', facts([call({})]), 'waiting'],
    ['whose call is queued', facts([call({ status: 'queued' })]), 'calling'],
    ['whose call rings', facts([dialed('in_progress')]), 'calling'],
    ['whose earlier call still rings', facts([dialed('in_progress'), dialed('busy', 1)]), 'calling'],
    ['whose call is uncertain', facts([dialed('uncertain')]), 'uncertain'],
    ['who answered', facts([dialed('completed')]), 'answered'],
    ['who answered, and is called again', facts([dialed('completed'), call({ status: 'queued' })]), 'answered'],
    ['whose machine answered', facts([dialed('completed', 0, { isMachine: true })]), 'machine'],
    ['who was busy', facts([dialed('busy')]), 'busy'],
    ['who was busy, and then did not answer', facts([dialed('busy'), dialed('not_answered', 1)]), 'not_answered'],
    ['who was busy, and whose next call was canceled', facts([dialed('busy'), call({ status: 'canceled' })]), 'busy'],
    ['whose call had nothing to say', facts([call({ status: 'errored' })]), 'errored'],
    ['whose call the provider canceled', facts([dialed('canceled')]), 'canceled'],
    ['whose call was canceled before it was dialed', facts([call({ status: 'canceled' })]), 'canceled'],
    ['the same, with a plan', facts([call({ status: 'canceled' })], { plan }), 'waiting'],
    ['who opted out before the call', facts([later]), 'opted_out'],
    ['who opted out, and whose callout was stopped', facts([later], { ending: 'canceled' }), 'opted_out'],
    ['who was busy, and opted out before the next call', facts([dialed('busy'), later], { plan }), 'busy'],
    ['whose callout was stopped before the call', facts([call({})], { ending: 'canceled' }), 'canceled'],
    ['whose callout expired before the call', facts([], { ending: 'expired', plan }), 'expired'],
    ['whose callout was stopped after the call', facts([dialed('busy')], { ending: 'canceled', plan }), 'busy'],
    ['who was busy, and is called again by a plan', facts([dialed('busy')], { plan }), 'retrying'],
    [
      'whose attempts are used up',
      facts(
        [0, 1, 2].map((at) => dialed('busy', at)),
        { plan },
      ),
      'busy',
    ],
    [
      'who answered, and must confirm',
      facts([dialed('completed'), dialed('busy', 1)], { plan: { ...plan, pursuesConfirmation: true } }),
      'retrying',
    ],
    [
      'who answered, must confirm, and is not called again',
      facts([dialed('completed')], { plan: { ...plan, pursuesConfirmation: true } }),
      'answered',
    ],
    ['who confirmed', facts([dialed('busy')], { confirmed: true }), 'confirmed'],
  ])('%s', (_, given, outcome) => {
    expect(outcomeOf(given).outcome).toBe(outcome);
  });

  it('counts the calls that were dialed, and has the time of the last one', () => {
    const queued = call({ status: 'queued', dialedAt: new Date(DIALED_AT + 5 * 60_000) });
    const calls = [dialed('busy', 2), dialed('failed', 1), call({ status: 'errored' }), queued];
    expect(outcomeOf(facts(calls))).toMatchObject({ attempts: 2, lastCallAt: new Date(DIALED_AT + 2 * 60_000) });
    expect(outcomeOf(facts([]))).toMatchObject({ attempts: 0, lastCallAt: null });
  });

  it('has the time of the next call only while one follows', () => {
    const [retried, done] = [outcomeOf(facts([dialed('busy', 1)], { plan })), outcomeOf(facts([dialed('busy', 1)]))];
    expect([retried.nextCallAt, done.nextCallAt]).toEqual([new Date(DIALED_AT + 2 * 60_000), null]);
  });

  it('is exactly one, and depends on nothing but the facts', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const computed = outcomeOf(given);
        expect(outcomes.filter((one) => one === computed.outcome)).toHaveLength(1);
        expect(outcomeOf(structuredCloneOf(given))).toEqual(computed);
        expect(computed.nextCallAt === null).toBe(computed.outcome !== 'retrying');
      }),
      { numRuns: 2_000 },
    );
  });

  it('stays reached, whatever further calls come to', () => {
    fc.assert(
      fc.property(anyFacts, fc.array(anyCall, { maxLength: 5 }), (given, further) => {
        const before = outcomeOf(given).outcome;
        const after = outcomeOf({ ...given, calls: [...given.calls, ...further] }).outcome;
        if (before === 'confirmed') expect(after).toBe('confirmed');
        if (before === 'answered' && !given.plan?.pursuesConfirmation) expect(after).toBe('answered');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is open while a call is under way or uncertain, unless the person is reached', () => {
    fc.assert(
      fc.property(anyFacts, fc.constantFrom('queued', 'in_progress', 'uncertain'), (given, status) => {
        const { outcome } = outcomeOf({ ...given, calls: [...given.calls, dialed(status)] });
        expect(['calling', 'uncertain', 'confirmed', 'answered']).toContain(outcome);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is that of the newest call when all calls have ended and nobody answered', () => {
    fc.assert(
      fc.property(
        fc.array(
          anyCall.filter(({ status }) => hasEnded(status)),
          { minLength: 1 },
        ),
        (calls) => {
          const results = calls.flatMap((one) => resultOf(one) ?? []);
          if (results.length === 0 || results.includes('answered')) return;
          expect(outcomeOf(facts(calls)).outcome).toBe(results.at(-1));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

/** A copy that keeps the functions of the plan. */
function structuredCloneOf({ plan: same, ...rest }: OutcomeFacts): OutcomeFacts {
  return { ...structuredClone(rest), plan: same };
}
