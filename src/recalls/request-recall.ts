import sql, { type Sql, join } from 'sql-template-tag';
import {
  inSubquery,
  isPostgres,
  jsonArrays,
  lockClause,
  notIndexed,
  now,
  parseJson,
  recordset,
} from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { lockCalloutStatus } from '../outcomes/lock-callout-status.js';
import { unfinishedOutcomes } from '../outcomes/outcome-names.js';
import { awaitedStatuses } from '../phone-calls/phone-call.machine.js';
import type { EndStatus } from '../telephony/end-status.js';
import { Recall, type RecallReason } from './recall.entity.js';

/** The provider's status of a call that was answered. Source: Twilio's `call_enum_status`. */
export const ANSWERED = 'in-progress';

/** The order in which the provider is asked: a call that does not ring yet may still be kept from ringing. */
const remoteStatusOrder: Readonly<Record<string, number>> = { ringing: 1, [ANSWERED]: 2 };

/** A call that is under way, with the participation that it belongs to, and whether that counts as done. */
type OpenCall = [id: number, participationId: number, isDone: number, remoteStatus: string | null];

/** What makes the program recall calls, and how. */
export interface RecallRequest {
  reason: RecallReason;
  /** `canceled` leaves conversations alone, `completed` ends them, too. */
  endStatus: EndStatus;
  requestedBy?: string;
}

/**
 * Locks what a recall of a callout needs, before the transaction locks any row: the status of the callout, so that no
 * call is claimed until it commits, and then the calls under way, in the order of their ids. The rows of a recall refer
 * to these calls, so PostgreSQL would lock them in any order, after the row of the callout. The results of dials lock
 * calls first, so the two would deadlock.
 */
export async function lockForRecall(transaction: Transaction, calloutId: number): Promise<void> {
  await lockCalloutStatus(transaction, calloutId, 'change');
  if (!isPostgres) return;
  const ids = openCalls(calloutId, sql`id`);
  await transaction.query(
    sql`SELECT 1 FROM phone_calls WHERE ${inSubquery(sql`id`, ids)} ORDER BY id ${lockClause('FOR KEY SHARE')}`,
  );
}

/**
 * Recalls the calls of a callout: the provider is asked to end those that it has. Stores the state of everybody who
 * takes part at this moment, for the receipt. The caller has called {@link lockForRecall}, and keeps further calls from
 * being dialed.
 */
export async function requestRecall(
  transaction: Transaction,
  calloutId: number,
  { reason, endStatus, requestedBy }: RecallRequest,
): Promise<void> {
  const { people, done, calls } = await readMoment(transaction, calloutId);
  const calledAgain = new Set(calls.filter(([, , isDone]) => isDone === 1).map(([, participation]) => participation));
  const recallId = await transaction.insert(Recall, {
    callout_id: calloutId,
    reason,
    end_status: endStatus,
    requested_by: requestedBy ?? null,
    people,
    done_before: done - calledAgain.size,
  });
  const order = ([, , , status]: OpenCall): number => remoteStatusOrder[status ?? ''] ?? 0;
  const rows = calls
    .toSorted((one, other) => order(one) - order(other) || one[0] - other[0])
    .map(([id, , , status], position) => ({
      id,
      status,
      position,
      is_due: Number(endStatus === 'completed' || status !== ANSWERED),
    }));
  if (rows.length === 0) return;
  const columns = { id: 'bigint', status: 'text', position: 'bigint', is_due: 'bigint' } as const;
  await transaction.execute(sql`INSERT INTO recalled_calls (recall_id, phone_call_id, remote_status, due_at)
      SELECT ${recallId}, input.id, input.status, CASE WHEN input.is_due = 1 THEN ${now} END
      FROM ${recordset('input', columns, rows)} ORDER BY input.position`);
}

/**
 * Asks again for the calls of the latest recall of a callout that are still under way.
 * @param endStatus `completed` now also ends conversations that the recall has left alone
 * @returns how many calls the provider is asked to end
 */
export async function repeatRecall(transaction: Transaction, calloutId: number, endStatus: EndStatus): Promise<number> {
  const latest = sql`(SELECT max(id) FROM recalls WHERE callout_id = ${calloutId})`;
  if (endStatus === 'completed') {
    await transaction.execute(sql`UPDATE recalls SET end_status = 'completed' WHERE id = ${latest}`);
  }
  const underWay = sql`SELECT recalled_calls.id FROM recalled_calls
    JOIN phone_calls ON phone_calls.id = recalled_calls.phone_call_id
    WHERE recall_id = ${latest} AND (phone_calls.status IN (${join([...awaitedStatuses])})
        OR phone_calls.status = 'queued' AND phone_calls.lease_token IS NOT NULL)
      AND ('completed' = (SELECT end_status FROM recalls WHERE id = ${latest})
        OR coalesce(phone_calls.remote_status, '') <> ${ANSWERED})
    ORDER BY recalled_calls.id ${lockClause('FOR NO KEY UPDATE OF recalled_calls')}`;
  // The number of tries grows: the response to an earlier request must not count as that to the new one.
  return transaction.execute(
    sql`UPDATE recalled_calls SET due_at = ${now}, tries = tries + 1 WHERE ${inSubquery(sql`id`, underWay)}`,
  );
}

/** Stops asking for the end of the calls of a callout, because it dials again. */
export async function endRecalls(transaction: Transaction, calloutId: number): Promise<void> {
  const waiting = sql`SELECT id FROM recalled_calls
    WHERE due_at IS NOT NULL AND recall_id IN (SELECT id FROM recalls WHERE callout_id = ${calloutId})
    ORDER BY id ${lockClause('FOR NO KEY UPDATE')}`;
  await transaction.execute(sql`UPDATE recalled_calls SET due_at = NULL WHERE ${inSubquery(sql`id`, waiting)}`);
}

/** Reads how many people take part, how many of them are done, and the calls under way. They are of one moment. */
async function readMoment(
  transaction: Transaction,
  calloutId: number,
): Promise<{ people: number; done: number; calls: OpenCall[] }> {
  const people = sql`SELECT count(*) FROM callout_participations WHERE callout_id = ${calloutId}`;
  const isDone = sql`(outcome NOT IN (${join([...unfinishedOutcomes])}) AND NOT ${isOutdated(calloutId)})`;
  const ofPerson = sql`(SELECT CASE WHEN ${isDone} THEN 1 ELSE 0 END FROM callout_participations
    WHERE callout_participations.id = calls.callout_participation_id)`;
  const columns = [sql`calls.id`, sql`calls.callout_participation_id`, ofPerson, sql`calls.remote_status`];
  const calls = openCalls(calloutId, sql`id, callout_participation_id, remote_status`);
  const [row] = await transaction.query<{ people: number; done: number; calls: unknown }>(sql`SELECT
      (${people}) AS people, (${people} AND ${isDone}) AS done,
      ${jsonArrays(columns, sql`FROM (${calls}) AS calls`)} AS calls`);
  return { people: row!.people, done: row!.done, calls: parseJson<OpenCall[] | null>(row!.calls) ?? [] };
}

/** The query of the calls of a callout that are claimed or at the provider. */
function openCalls(calloutId: number, columns: Sql): Sql {
  // A claimed call has a lease. The index on leases is small, and a million calls of the callout may be queued. SQLite
  // uses that index only for a range.
  const hasLease = isPostgres ? sql`leased_until IS NOT NULL` : sql`leased_until > ''`;
  return sql`SELECT ${columns} FROM phone_calls
      WHERE callout_id = ${calloutId} AND status IN (${join([...awaitedStatuses])})
    UNION ALL SELECT ${columns} FROM phone_calls
      WHERE ${hasLease} AND lease_token IS NOT NULL AND ${notIndexed('status')} = 'queued'
        AND callout_id + 0 = ${calloutId}`;
}

/**
 * The condition that the outcome of a participation is still that of a stop or an expiry which was undone: after a
 * `resume`, outcomes are refreshed in the order of the ids, up to `outcomes_cursor`. Such people are to be called.
 */
function isOutdated(calloutId: number): Sql {
  const cursor = sql`(SELECT outcomes_cursor FROM callouts
    WHERE callouts.id = ${calloutId} AND (expires_at IS NULL OR expires_at > ${now}))`;
  return sql`(outcome IN ('canceled', 'expired') AND coalesce(callout_participations.id > ${cursor}, FALSE))`;
}
