import sql from 'sql-template-tag';
import { isPostgres } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';

/**
 * Locks phone calls in the order of their ids, before a statement touches several of them in an order of its own. Transactions that lock in
 * one order never wait for each other in a circle. PostgreSQL would break such a circle after a second, but by its own clock: while that has
 * stepped back, not for hours. On SQLite the transaction is the only writer anyway.
 */
export async function lockPhoneCalls(transaction: Transaction, ids: readonly number[]): Promise<void> {
  if (!isPostgres || ids.length === 0) return;
  await transaction.query(sql`SELECT 1 FROM phone_calls WHERE id = ANY(${ids}) ORDER BY id FOR UPDATE`);
}
