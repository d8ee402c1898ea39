import sql, { type Sql, raw } from 'sql-template-tag';
import { isPostgres } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';

/** The first key of PostgreSQL advisory locks. The number is arbitrary, but unique in this program. */
const STATUS_LOCK = 720_117_005;

/**
 * Locks the status of a callout until the transaction ends, before the transaction locks any row. `change` is for
 * clients that change, stop or delete the callout. `share` is for work that writes participations according to the
 * status, other than by moving a call. Not needed on SQLite, where the transaction is the only writer.
 *
 * It is not a lock of the row. A transaction that waits for a row makes later transactions wait for it, too, even those
 * that the first one waits for indirectly: they would deadlock.
 */
export async function lockCalloutStatus(
  transaction: Transaction,
  calloutId: number,
  mode: 'change' | 'share',
): Promise<void> {
  if (!isPostgres) return;
  const shared = raw(mode === 'share' ? '_shared' : '');
  await transaction.query(sql`SELECT pg_advisory_xact_lock${shared}(${STATUS_LOCK}, ${calloutId % 2 ** 31})`);
}

/**
 * Shares the status of a callout until the transaction ends, unless a transaction is changing it. A condition of
 * PostgreSQL that never waits, so a transaction that has locked rows already may use it.
 * @param calloutId an expression, which may be null
 */
export function sharesCalloutStatus(calloutId: Sql): Sql {
  const key = raw(String(STATUS_LOCK));
  return sql`coalesce(pg_try_advisory_xact_lock_shared(${key}, (${calloutId} % 2147483648)::integer), TRUE)`;
}

/**
 * Locks the status of a callout until the transaction ends, as `change` does, if nobody else has it. It never waits, so
 * that the transaction may have locked rows before.
 * @returns false if another transaction has locked the status
 */
export async function tryLockCalloutStatus(transaction: Transaction, calloutId: number): Promise<boolean> {
  if (!isPostgres) return true;
  const [row] = await transaction.query<{ locked: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(${STATUS_LOCK}, ${calloutId % 2 ** 31}) AS locked`,
  );
  return row!.locked;
}
