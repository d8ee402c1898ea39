import sql, { type Sql, join } from 'sql-template-tag';
import { INCLUDE_DO_NOT_CALL, optedOut } from '../contacts/opted-out.js';
import { checked, isPostgres, now } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { TRUE_WORDS } from '../metadata/client-values.js';
import { wordAt } from '../metadata/word-at.js';

/** What a call shows that was not placed because its person asked for no more calls. */
export const DO_NOT_CALL_MESSAGE = 'The person has asked for no more calls: nobody was called.';

/**
 * A scalar subquery finds the contact by its key, whatever the planner believes of the table; EXISTS may become a scan.
 */
const optedOutBy = (condition: Sql): Sql => sql`coalesce((SELECT ${optedOut} FROM contacts WHERE ${condition}), FALSE)`;

/**
 * A batch operation that chose this call, or put its person into the callout, has the parameter that calls people all
 * the same.
 */
const included = sql`EXISTS (
  SELECT 1 FROM batch_operations WHERE batch_operations.id IN (
    phone_calls.create_batch_operation_id,
    phone_calls.queue_batch_operation_id,
    (SELECT callout_population_id FROM callout_participations WHERE callout_participations.id = phone_calls.callout_participation_id)
  ) AND ${wordAt('batch_operations.parameters', INCLUDE_DO_NOT_CALL)} IN (${join([...TRUE_WORDS])})
)`;

/**
 * The condition that a phone call must not be placed, because its contact, or the contact who has its number, asked for
 * no more calls.
 */
export const isDoNotCall: Sql = sql`(
  (${optedOutBy(sql`contacts.id = phone_calls.contact_id`)} OR ${optedOutBy(sql`contacts.msisdn = phone_calls.msisdn`)})
  AND NOT ${included}
)`;

/**
 * Holds the contacts of phone calls until the transaction ends: nobody opts out between this check and the commit. On SQLite the transaction
 * is the only writer anyway.
 */
export async function holdContacts(
  transaction: Transaction,
  calls: readonly { contact_id: number | null; msisdn: string }[],
): Promise<void> {
  if (!isPostgres || calls.length === 0) return;
  const ids = calls.map(({ contact_id }) => contact_id).filter((id) => id !== null);
  const numbers = calls.map(({ msisdn }) => msisdn);
  await transaction.query(
    sql`SELECT 1 FROM contacts WHERE id = ANY(${ids}) OR msisdn = ANY(${numbers}) ORDER BY id FOR SHARE`,
  );
}

/**
 * Cancels those of the queued calls whose people asked for no more calls.
 * @returns the ids of the calls that were canceled
 */
export async function cancelDoNotCall(transaction: Transaction, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction.query<{
    id: number;
  }>(sql`UPDATE phone_calls SET status = 'canceled', remote_error_message = ${DO_NOT_CALL_MESSAGE}, lease_token = NULL,
        leased_until = NULL, dialled_at = NULL, check_at = NULL, updated_at = ${now}
      WHERE id IN (${join([...ids])}) AND ${checked('status')} = 'queued' AND ${isDoNotCall} RETURNING id`);
  return new Set(rows.map(({ id }) => id));
}
