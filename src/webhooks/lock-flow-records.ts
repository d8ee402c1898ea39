import sql from 'sql-template-tag';
import { inList, isPostgres, lockClause } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { lockParticipations } from '../outcomes/refresh-outcomes.js';
import type { WebhookCall } from './webhook-calls.js';

// A transaction that runs the flow of one call several times, or creates contacts, writes to the records of the flows
// in any order. It locks them before, in the order in which all transactions lock them. Not needed on SQLite, where the
// transaction is the only writer.

/** Locks the contacts of calls and the contacts with these numbers, in the order of their ids. */
export async function lockFlowContacts(
  transaction: Transaction,
  calls: readonly WebhookCall[],
  numbers: readonly string[],
): Promise<void> {
  if (!isPostgres) return;
  const ids = calls.map(({ contact_id }) => contact_id).filter((id) => id !== null);
  await transaction.query(sql`SELECT 1 FROM contacts WHERE ${inList(sql`id`, ids)} OR ${inList(sql`msisdn`, numbers)}
    ORDER BY id ${lockClause('FOR NO KEY UPDATE')}`);
}

/**
 * Locks the participations of calls, and then their callouts, each in the order of their ids.
 * @param moved further participations
 */
export async function lockFlowParticipations(
  transaction: Transaction,
  calls: readonly WebhookCall[],
  moved: ReadonlySet<number>,
): Promise<void> {
  if (!isPostgres) return;
  const own = calls.flatMap((call) => call.callout_participation_id ?? call.call_flow_state?.participation_id ?? []);
  const ids = new Set([...moved, ...own]);
  await lockParticipations(transaction, ids);
  const callouts = sql`SELECT callout_id FROM callout_participations WHERE ${inList(sql`id`, [...ids])}`;
  await transaction.query(sql`SELECT 1 FROM callouts WHERE id IN (${callouts})
    ORDER BY id ${lockClause('FOR NO KEY UPDATE')}`);
}
