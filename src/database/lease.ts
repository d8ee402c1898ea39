import sql, { type Sql } from 'sql-template-tag';
import { now, secondsFromNow } from './dialect.js';

// A lease is a timestamp until which a row belongs to somebody. It expires by the database's clock. That clock may step back by hours (NTP
// after a dead battery): a lease that ends further ahead than its own length was written before such a step, and counts as expired.

/** A lease that was just written may look this much longer than it is (s): the database rounds timestamps to milliseconds. */
const ROUNDING = 1;

/**
 * The condition that a lease is held.
 * @param column holds the end of the lease; null means that there is none
 * @param seconds the longest lease that is ever written to the column
 */
export function isHeld(column: Sql, seconds: number): Sql {
  return sql`(${column} >= ${now} AND ${column} <= ${secondsFromNow(seconds + ROUNDING)})`;
}

/** The condition that a lease was taken and has expired; parameters as of {@link isHeld}. */
export function isExpired(column: Sql, seconds: number): Sql {
  return sql`(${column} < ${now} OR ${column} > ${secondsFromNow(seconds + ROUNDING)})`;
}

/** The condition that nobody holds a lease: there is none, or it has expired; parameters as of {@link isHeld}. */
export function isFree(column: Sql, seconds: number): Sql {
  return sql`(${column} IS NULL OR ${isExpired(column, seconds)})`;
}
