import sql, { join } from 'sql-template-tag';
import { jsonArrays, notIndexed, now, parseJson, recordset } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { type Outcome, unfinishedOutcomes } from '../outcomes/outcome-names.js';
import { awaitedStatuses, endedStatuses } from '../phone-calls/phone-call.machine.js';
import type { EndStatus } from '../telephony/end-status.js';
import { Recall, type RecallReason } from './recall.entity.js';

/** The provider's status of a call that was answered. Source: Twilio's `call_enum_status`. */
export const ANSWERED = 'in-progress';

/** The order in which the provider is asked: a call that does not ring yet may still be kept from ringing. */
const remoteStatusOrder: Readonly<Record<string, number>> = { ringing: 1, [ANSWERED]: 2 };

/** A call that is under way, with the participation that it belongs to. */
type OpenCall = [id: number, participationId: number, outcome: Outcome, remoteStatus: string | null];

/** What makes the program recall calls, and how. */
export interface RecallRequest {
  reason: RecallReason;
  /** `canceled` leaves conversations alone, `completed` ends them, too. */
  endStatus: EndStatus;
  requestedBy?: string;
}

/**
 * Recalls the calls of a callout: the provider is asked to end those that it has. Stores the state of everybody who
 * takes part at this moment, for the receipt. The caller has locked the status of the callout for a change, so that no
 * call is claimed meanwhile, and keeps further calls from being dialed.
 */
export async function requestRecall(
  transaction: Transaction,
  calloutId: number,
  { reason, endStatus, requestedBy }: RecallRequest,
): Promise<void> {
  const { people, done, calls } = await readMoment(transaction, calloutId);
  const calledAgain = new Set(
    calls.filter(([, , outcome]) => isDone(outcome)).map(([, participation]) => participation),
  );
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
  return transaction.execute(sql`UPDATE recalled_calls SET due_at = ${now}, tries = 0
      WHERE recall_id = ${latest} AND EXISTS (
        SELECT 1 FROM phone_calls WHERE phone_calls.id = recalled_calls.phone_call_id
          AND phone_calls.status NOT IN ('created', ${join([...endedStatuses])})
          AND ('completed' = (SELECT end_status FROM recalls WHERE id = recalled_calls.recall_id)
            OR coalesce(phone_calls.remote_status, '') <> ${ANSWERED})
      )`);
}

/** Stops asking for the end of the calls of a callout, because it dials again. */
export async function endRecalls(transaction: Transaction, calloutId: number): Promise<void> {
  await transaction.execute(sql`UPDATE recalled_calls SET due_at = NULL
      WHERE due_at IS NOT NULL AND recall_id IN (SELECT id FROM recalls WHERE callout_id = ${calloutId})`);
}

/** Reads how many people take part, how many of them are done, and the calls under way. They are of one moment. */
async function readMoment(
  transaction: Transaction,
  calloutId: number,
): Promise<{ people: number; done: number; calls: OpenCall[] }> {
  const people = sql`SELECT count(*) FROM callout_participations WHERE callout_id = ${calloutId}`;
  const outcome = sql`(SELECT outcome FROM callout_participations WHERE id = calls.callout_participation_id)`;
  const columns = [sql`calls.id`, sql`calls.callout_participation_id`, outcome, sql`calls.remote_status`];
  const atProvider = sql`SELECT id FROM phone_calls
    WHERE callout_id = ${calloutId} AND status IN (${join([...awaitedStatuses])})`;
  // A claimed call has a lease. The index on leases is small, and a million calls of the callout may be queued.
  const claimed = sql`SELECT id FROM phone_calls WHERE leased_until IS NOT NULL AND lease_token IS NOT NULL
    AND ${notIndexed('status')} = 'queued' AND callout_id + 0 = ${calloutId}`;
  const [row] = await transaction.query<{ people: number; done: number; calls: unknown }>(sql`SELECT
      (${people}) AS people, (${people} AND outcome NOT IN (${join([...unfinishedOutcomes])})) AS done,
      ${jsonArrays(columns, sql`FROM phone_calls AS calls WHERE calls.id IN (${atProvider} UNION ${claimed})`)} AS calls`);
  return { people: row!.people, done: row!.done, calls: parseJson<OpenCall[] | null>(row!.calls) ?? [] };
}

function isDone(outcome: Outcome): boolean {
  return !unfinishedOutcomes.includes(outcome);
}
