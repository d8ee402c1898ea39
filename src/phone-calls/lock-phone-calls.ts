import sql, { empty } from 'sql-template-tag';
import { isPostgres } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';

/**
 * Locks phone calls in the order of their ids, before a statement updates several of them in any order. Transactions
 * that lock in one order cannot deadlock. PostgreSQL's deadlock detection does not suffice: it depends on the clock,
 * and can take hours after the clock has stepped back. Not needed on SQLite, where the transaction is the only writer.
 *
 * @param remoteCallIds locks the calls with these ids of the provider, too
 */
export async function lockPhoneCalls(
  transaction: Transaction,
  ids: readonly number[],
  remoteCallIds: readonly string[] = [],
): Promise<void> {
  if (!isPostgres || ids.length === 0) return;
  const guessed = remoteCallIds.length > 0 ? sql`OR remote_call_id = ANY(${remoteCallIds})` : empty;
  await transaction.query(sql`SELECT 1 FROM phone_calls WHERE id = ANY(${ids}) ${guessed} ORDER BY id FOR UPDATE`);
}
