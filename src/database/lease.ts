import sql, { type Sql } from 'sql-template-tag';
import { now, secondsFromNow } from './dialect.js';

// A lease is the time until which one process owns a row. It expires by the clock of the database. That clock may step
// back by hours (NTP after a dead battery). A lease that ends further in the future than its maximum length was written
// before such a step, and counts as expired.

/** How much longer than written a new lease may look (s), because the database rounds timestamps to milliseconds. */
const ROUNDING = 1;

/**
 * The condition that a lease is held: it exists and has not expired.
 *
 * @param column the end of the lease; null if there is no lease
 * @param maxSeconds the length of the longest lease that is written to the column (s)
 */
export function isHeld(column: Sql, maxSeconds: number): Sql {
  return sql`(${column} >= ${now} AND ${column} <= ${secondsFromNow(maxSeconds + ROUNDING)})`;
}

/** The condition that a lease exists and has expired. The parameters are those of {@link isHeld}. */
export function isExpired(column: Sql, maxSeconds: number): Sql {
  return sql`(${column} < ${now} OR ${column} > ${secondsFromNow(maxSeconds + ROUNDING)})`;
}

/** The condition that there is no lease, or that it has expired. The parameters are those of {@link isHeld}. */
export function isFree(column: Sql, maxSeconds: number): Sql {
  return sql`(${column} IS NULL OR ${isExpired(column, maxSeconds)})`;
}
