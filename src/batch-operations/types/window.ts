import sql, { empty, raw } from 'sql-template-tag';
import type { Transaction } from '../../database/transaction.js';
import type { Listed } from './listed.js';

/** Rows that one transaction looks at: few enough for it to be over in a moment, enough for its cost not to matter. */
const CHUNK = 5_000;

/** The same where few of the rows are wanted. */
const MOST_LOOKED_AT = 20_000;

/** The next rows of a table beyond a cursor, by their ids. */
export interface Window {
  /** Where the next window begins: the id of the last of them, or where this one began when there is none. */
  cursor: number;
  /** How many they are. */
  looked: number;
  /** There are no rows beyond. */
  done: boolean;
}

/**
 * @param size rows at the most
 * @param calloutId looks at the rows of this callout only; null for all
 */
export async function nextWindow(
  transaction: Transaction,
  table: Listed,
  cursor: number,
  size: number,
  calloutId: number | null = null,
): Promise<Window> {
  const ofCallout = calloutId === null ? empty : sql`callout_id = ${calloutId} AND`;
  const [window] = await transaction.query<{
    last: number | null;
    looked: number;
  }>(sql`SELECT max(id) AS last, count(*) AS looked
      FROM (SELECT id FROM ${raw(table)} WHERE ${ofCallout} id > ${cursor} ORDER BY id LIMIT ${size}) AS next`);
  const looked = window?.looked ?? 0;
  return { cursor: window?.last ?? cursor, looked, done: looked < size };
}

/**
 * How many rows a step looks at: twice as many as the last one while that made no more than half a chunk's worth, and a chunk again once one
 * made more than a chunk. So a run that comes from rows that nobody wants to rows that all are wanted has one large transaction, and no second one.
 */
export function sizeAfter(last?: { looked: number; processed: number }): number {
  if (!last || last.processed > CHUNK) return CHUNK;
  return Math.min(last.processed <= CHUNK / 2 ? 2 * last.looked : last.looked, MOST_LOOKED_AT);
}
