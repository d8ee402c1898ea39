import sql, { type Sql } from 'sql-template-tag';
import { inList, isPostgres, jsonArrays, lockClause, now, parseJson, recordset } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { readDialPlan } from '../dial-plans/dial-plan.js';
import { nextAttemptAt } from '../dial-plans/retry-schedule.js';
import type { Metadata } from '../metadata/metadata.js';
import type { PhoneCallStatus } from '../phone-calls/phone-call.machine.js';
import { type CallFacts, isMachine } from './call-result.js';
import { type EndingFacts, endingOf, isExpired } from './callout-ending.js';
import { OPTED_OUT_MESSAGE } from './opted-out-message.js';
import { type ComputedOutcome, type OutcomeFacts, type PlanDecision, outcomeOf } from './outcome.js';
import type { Outcome, WaitingReason } from './outcome-names.js';

// Stores the outcomes of participations. Every transaction that changes what an outcome depends on calls one of these
// functions, after it has locked phone calls and contacts, and before it locks callouts.

/** The columns of a call that its facts are read from, in the order of {@link toCallFacts}. */
const callColumns = [
  sql`calls.id`,
  sql`calls.status`,
  sql`calls.dialled_at`,
  sql`calls.ended_at`,
  sql`calls.remote_call_id IS NOT NULL`,
  sql`calls.call_flow_state ->> 'machine'`,
  sql`calls.metadata ->> 'answered_by'`,
  sql`calls.remote_error_message`,
  // Hardly any call is canceled, so this costs nothing.
  sql`CASE WHEN calls.status = 'canceled' THEN
    EXISTS (SELECT 1 FROM recalled_calls WHERE recalled_calls.phone_call_id = calls.id) END`,
];

const calls = jsonArrays(
  callColumns,
  sql`FROM phone_calls AS calls WHERE calls.callout_participation_id = callout_participations.id`,
);

type CallValues = [
  id: number,
  status: PhoneCallStatus,
  dialedAt: string | null,
  endedAt: string | null,
  isAtProvider: boolean | number,
  machine: string | number | null,
  answeredBy: unknown,
  message: string | null,
  isRecalled: boolean | number | null,
];

/** A participation with what its outcome depends on, as the driver returns it. */
interface OutcomeRow extends EndingFacts {
  id: number;
  outcome: Outcome;
  attempts: number;
  first_call_at: Date | string | null;
  last_call_at: Date | string | null;
  next_call_at: Date | string | null;
  waiting_for: WaitingReason | null;
  confirmed: boolean | number;
  dial_plan: unknown;
  calls: unknown;
}

/**
 * The query of participations with what their outcomes depend on.
 * @param condition the condition for the participations
 */
function outcomeRows(condition: Sql): Sql {
  const ofCallout = (column: Sql) =>
    sql`(SELECT ${column} FROM callouts WHERE callouts.id = callout_participations.callout_id)`;
  return sql`SELECT callout_participations.id, callout_participations.outcome, callout_participations.attempts,
      callout_participations.first_call_at, callout_participations.last_call_at,
      callout_participations.next_call_at, callout_participations.waiting_for,
      coalesce(callout_participations.metadata ->> 'confirmed_at', '') <> '' AS confirmed,
      ${ofCallout(sql`callouts.status`)} AS callout_status, ${ofCallout(sql`callouts.dial_plan`)} AS dial_plan,
      ${ofCallout(isExpired)} AS is_expired,
      ${calls} AS calls
    FROM callout_participations WHERE ${condition}`;
}

/** @returns the facts in a row of {@link outcomeRows} */
function factsIn(row: OutcomeRow): OutcomeFacts {
  const { id, confirmed, dial_plan, calls: values } = row;
  const all = parseJson<CallValues[] | null>(values) ?? [];
  const plan = parseJson<Metadata | null>(dial_plan);
  return {
    confirmed: Boolean(confirmed),
    calls: all.toSorted(([one], [other]) => one - other).map(toCallFacts),
    ending: endingOf(row),
    ...(plan && { plan: decisionOf(plan, id) }),
  };
}

/** @returns what a stored dial plan decides about a participation */
function decisionOf(stored: Metadata, participationId: number): PlanDecision {
  // The decisions below depend on no setting.
  const plan = readDialPlan(stored, { timeZone: 'UTC' });
  return {
    pursuesConfirmation: plan.until === 'confirmed',
    nextAttemptAt: (results, endedAt) => nextAttemptAt(plan, { participationId, results, endedAt }),
  };
}

function toCallFacts(values: CallValues): CallFacts {
  const [, status, dialedAt, endedAt, isAtProvider, machine, answeredBy, message, isRecalled] = values;
  return {
    status,
    dialedAt: dialedAt === null ? null : new Date(dialedAt),
    endedAt: endedAt === null ? null : new Date(endedAt),
    isAtProvider: Boolean(isAtProvider),
    isMachine: machine === 'true' || machine === 1 || isMachine(answeredBy),
    isOptedOut: message === OPTED_OUT_MESSAGE,
    isRecalled: Boolean(isRecalled),
  };
}

/** @returns whether a row has another outcome than the computed one */
function isOutdated(row: OutcomeRow, computed: ComputedOutcome): boolean {
  return (
    row.outcome !== computed.outcome ||
    row.attempts !== computed.attempts ||
    !isSameTime(row.first_call_at, computed.firstCallAt) ||
    !isSameTime(row.last_call_at, computed.lastCallAt)
  );
}

/** @returns whether the gate holds a person back, or the plan had another pause when the row was stored */
function isHeld(row: OutcomeRow, computed: ComputedOutcome): boolean {
  return row.waiting_for !== null || !isSameTime(row.next_call_at, computed.nextCallAt);
}

function isSameTime(stored: Date | string | null, computed: Date | null): boolean {
  return (stored === null ? null : new Date(stored).getTime()) === (computed?.getTime() ?? null);
}

/** @returns the outcome of a new participation of a callout. The transaction has locked the status of the callout */
export async function firstOutcome(transaction: Transaction, calloutId: number): Promise<Outcome> {
  const [row] = await transaction.query<EndingFacts>(
    sql`SELECT status AS callout_status, ${isExpired} AS is_expired FROM callouts WHERE id = ${calloutId}`,
  );
  return endingOf(row!) ?? 'waiting';
}

/**
 * Locks participations until the transaction ends, in the order of their ids, so that transactions cannot deadlock. Not
 * needed on SQLite, where the transaction is the only writer.
 * @param noWait fails with a conflict instead of waiting. For transactions that have locked callouts already
 */
export async function lockParticipations(
  transaction: Transaction,
  ids: Iterable<number>,
  { noWait = false } = {},
): Promise<void> {
  const list = [...ids];
  if (!isPostgres || list.length === 0) return;
  await transaction.query(sql`SELECT 1 FROM callout_participations WHERE ${inList(sql`id`, list)}
    ORDER BY id ${lockClause(noWait ? 'FOR NO KEY UPDATE NOWAIT' : 'FOR NO KEY UPDATE')}`);
}

const refreshedColumns = {
  id: 'bigint',
  outcome: 'text',
  attempts: 'bigint',
  next_call_at: 'timestamptz',
  first_call_at: 'timestamptz',
  last_call_at: 'timestamptz',
} as const;

/**
 * Computes the outcomes of participations anew, and stores those that changed. The rows are locked before they are
 * read: of two transactions that move two calls of a participation, the second sees what the first has changed.
 * @param options.releases also stores anew when people are called next, whom the gate may have held back
 */
export async function refreshOutcomes(
  transaction: Transaction,
  participations: Iterable<number>,
  options: { noWait?: boolean; releases?: boolean } = {},
): Promise<void> {
  const ids = [...participations];
  if (ids.length === 0) return;
  await lockParticipations(transaction, ids, options);
  const rows = await transaction.query<OutcomeRow>(outcomeRows(inList(sql`callout_participations.id`, ids)));
  const changed = rows.flatMap((row) => {
    const computed = outcomeOf(factsIn(row));
    if (!isOutdated(row, computed) && !(options.releases && isHeld(row, computed))) return [];
    const { outcome, attempts, nextCallAt, firstCallAt, lastCallAt } = computed;
    const times = { next_call_at: nextCallAt, first_call_at: firstCallAt, last_call_at: lastCallAt };
    return [{ id: row.id, outcome, attempts, ...times }];
  });
  if (changed.length === 0) return;
  await transaction.query(sql`UPDATE callout_participations
      SET outcome = input.outcome, attempts = input.attempts, first_call_at = input.first_call_at,
        last_call_at = input.last_call_at, next_call_at = input.next_call_at, waiting_for = NULL, updated_at = ${now}
      FROM ${recordset('input', refreshedColumns, changed)} WHERE callout_participations.id = input.id`);
}

/**
 * Stores that participations whose calls were queued are being called, unless they are reached already. It is one
 * statement for any number of them.
 */
export async function markCalling(transaction: Transaction, participations: Iterable<number>): Promise<void> {
  const ids = [...participations];
  if (ids.length === 0) return;
  const pursuesConfirmation = sql`(SELECT callouts.dial_plan ->> 'until' FROM callouts
    WHERE callouts.id = callout_participations.callout_id) = 'confirmed'`;
  const isReached = sql`(callout_participations.outcome IN ('confirmed', 'calling')
    OR callout_participations.outcome = 'answered' AND NOT coalesce(${pursuesConfirmation}, FALSE))`;
  const changes = sql`outcome = 'calling', next_call_at = NULL, waiting_for = NULL, updated_at = ${now}`;
  if (!isPostgres) {
    await transaction.query(
      sql`UPDATE callout_participations SET ${changes} WHERE ${inList(sql`id`, ids)} AND NOT ${isReached}`,
    );
    return;
  }
  // The locked rows are the newest ones, whatever the snapshot of the statement has.
  await transaction.query(sql`WITH locked AS MATERIALIZED (
      SELECT id, callout_id, outcome FROM callout_participations WHERE ${inList(sql`id`, ids)} ORDER BY id
      ${lockClause('FOR NO KEY UPDATE')}
    )
    UPDATE callout_participations SET ${changes}
    WHERE id = ANY (ARRAY(SELECT id FROM locked AS callout_participations WHERE NOT ${isReached}))`);
}
