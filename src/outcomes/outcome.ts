import type { PhoneCallStatus } from '../phone-calls/phone-call.machine.js';
import type { CalloutEnding } from './callout-ending.js';
import { type CallFacts, type CallResult, isTakenBack, resultOf } from './call-result.js';
import type { Outcome } from './outcome-names.js';

/** What a dial plan decides about the calls of a participation. */
export interface PlanDecision {
  /** Whether a person who answered and did not confirm is called again. */
  pursuesConfirmation: boolean;
  /**
   * Decides when the next attempt may be made.
   * @param results what the calls came to, oldest first
   * @param endedAt when the last of them ended
   * @returns undefined if the plan has no further attempt
   */
  nextAttemptAt(results: readonly CallResult[], endedAt: Date): Date | undefined;
}

/** What the outcome of a participation depends on. */
export interface OutcomeFacts {
  /** Whether the person pressed the confirming key. */
  confirmed: boolean;
  /** The calls, oldest first. */
  calls: readonly CallFacts[];
  /** What becomes of people who were never called, because the callout is over; undefined while it is not. */
  ending?: CalloutEnding | undefined;
  /** What the callout's plan decides; undefined without a plan. */
  plan?: PlanDecision;
}

/** The outcome of a participation, with the columns that follow from the same facts. */
export interface ComputedOutcome {
  outcome: Outcome;
  /** How many calls were dialed. */
  attempts: number;
  /** When the next attempt may be made; null if there is none, or it may be made at once. */
  nextCallAt: Date | null;
  /** When a call was first dialed; null if none was. */
  firstCallAt: Date | null;
  /** When a call was last dialed; null if none was. */
  lastCallAt: Date | null;
}

const callingStatuses: readonly PhoneCallStatus[] = ['queued', 'remotely_queued', 'remote_fetch_queued', 'in_progress'];

/**
 * Computes the outcome of a participation. The best that ever happened counts: a confirmation, then an answer, then the
 * newest call. Nothing else decides what an outcome is.
 */
export function outcomeOf(facts: OutcomeFacts): ComputedOutcome {
  const dialed = facts.calls.flatMap(({ status, dialedAt }) =>
    status !== 'queued' && dialedAt ? [dialedAt.getTime()] : [],
  );
  const [firstCallAt, lastCallAt] =
    dialed.length > 0 ? [new Date(Math.min(...dialed)), new Date(Math.max(...dialed))] : [null, null];
  const { outcome, nextCallAt = null } = decide(facts);
  return { outcome, attempts: dialed.length, nextCallAt, firstCallAt, lastCallAt };
}

function decide({ confirmed, calls, ending, plan }: OutcomeFacts): {
  outcome: Outcome;
  nextCallAt?: Date;
} {
  if (confirmed) return { outcome: 'confirmed' };
  const ended = calls.flatMap((call) => {
    const result = resultOf(call);
    return result ? [{ result, endedAt: call.endedAt }] : [];
  });
  const wasAnswered = ended.some(({ result }) => result === 'answered');
  if (wasAnswered && !plan?.pursuesConfirmation) return { outcome: 'answered' };
  if (calls.some(({ status }) => callingStatuses.includes(status))) return { outcome: 'calling' };
  // The call may still be under way, so nobody is called again meanwhile.
  if (calls.some(({ status }) => status === 'uncertain')) return { outcome: 'uncertain' };
  const last = ended.at(-1);
  const canceled = calls.filter(isTakenBack).at(-1);
  if (!last) {
    if (canceled?.isOptedOut) return { outcome: 'opted_out' };
    if (ending) return { outcome: ending };
    return { outcome: canceled && !plan ? 'canceled' : 'waiting' };
  }
  const hasOptedOut = canceled !== undefined && canceled === calls.at(-1) && canceled.isOptedOut;
  const mayRetry = plan && last.endedAt && !ending && !hasOptedOut;
  const results = ended.map(({ result }) => result);
  const nextCallAt = mayRetry ? plan.nextAttemptAt(results, last.endedAt!) : undefined;
  if (nextCallAt) return { outcome: 'retrying', nextCallAt };
  return { outcome: wasAnswered ? 'answered' : last.result };
}
