import sql, { type Sql } from 'sql-template-tag';
import { type PhoneCallStatus, endedStatuses } from '../phone-calls/phone-call.machine.js';

/** What a call came to. */
export type CallResult = 'answered' | 'machine' | 'busy' | 'not_answered' | 'failed' | 'errored' | 'canceled';

/** What the outcome of a participation depends on in one of its calls. */
export interface CallFacts {
  status: PhoneCallStatus;
  /** When it was dialed; null if no request was sent. */
  dialedAt: Date | null;
  /** When it ended; null if it has not. */
  endedAt: Date | null;
  /** Whether the provider has ever had it. */
  isAtProvider: boolean;
  /** Whether the provider detected an answering machine. */
  isMachine: boolean;
  /** Whether it was canceled before it was dialed, because its person had opted out. */
  isOptedOut: boolean;
  /** Whether the program asked the provider to end it, because its callout was stopped, paused or expired. */
  isRecalled: boolean;
}

/** @returns whether the provider's `AnsweredBy` is a machine. Source: https://www.twilio.com/docs/voice/answering-machine-detection */
export function isMachine(answeredBy: unknown): boolean {
  return answeredBy === 'fax' || (typeof answeredBy === 'string' && answeredBy.startsWith('machine_'));
}

/** The SQL condition that no answering machine was detected in a row of `calls`, as in `CallFacts.isMachine`. */
export const notAnsweredByMachine: Sql = sql`(
  coalesce(CAST(calls.call_flow_state ->> 'machine' AS text), '') NOT IN ('true', '1')
  AND coalesce(CAST(calls.metadata ->> 'answered_by' AS text), '') <> 'fax'
  AND substr(coalesce(CAST(calls.metadata ->> 'answered_by' AS text), ''), 1, 8) <> 'machine_')`;

/** @returns what a call came to; undefined if it has not ended, or the program took it back */
export function resultOf(call: CallFacts): CallResult | undefined {
  const { status } = call;
  if (status === 'completed') return call.isMachine ? 'machine' : 'answered';
  if (isTakenBack(call)) return undefined;
  return endedStatuses.find((ended): ended is Exclude<typeof ended, 'completed'> => ended === status);
}

/** @returns whether the program canceled a call before it was dialed, or recalled it from the provider */
export function isTakenBack({ status, dialedAt, isAtProvider, isRecalled }: CallFacts): boolean {
  return status === 'canceled' && (isRecalled || (dialedAt === null && !isAtProvider));
}
