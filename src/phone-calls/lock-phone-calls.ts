import sql, { empty } from 'sql-template-tag';
import { isPostgres } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { PhoneCall } from './phone-call.entity.js';

/** Whom a locked call calls. */
export type LockedCall = Pick<PhoneCall, 'contact_id' | 'msisdn'>;

/**
 * Locks phone calls in the order of their ids, before a statement updates several of them in any order. Transactions
 * that lock in one order cannot deadlock. PostgreSQL's deadlock detection does not suffice: it depends on the clock,
 * and can take hours after the clock has stepped back. Not needed on SQLite, where the transaction is the only writer.
 *
 * @param remoteCallIds locks the calls with these ids of the provider, too
 * @returns whom the locked calls call; empty on SQLite
 */
export async function lockPhoneCalls(
  transaction: Transaction,
  ids: readonly number[],
  remoteCallIds: readonly string[] = [],
): Promise<LockedCall[]> {
  if (!isPostgres || ids.length === 0) return [];
  const guessed = remoteCallIds.length > 0 ? sql`OR remote_call_id = ANY(${remoteCallIds})` : empty;
  return transaction.query<LockedCall>(sql`SELECT contact_id, msisdn FROM phone_calls
      WHERE id = ANY(${ids}) ${guessed} ORDER BY id FOR UPDATE`);
}
