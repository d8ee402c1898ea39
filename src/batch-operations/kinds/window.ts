import sql, { empty, raw } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { rowsOf } from '../../database/statements.js';
import type { Listed } from './listed.js';

/** Rows that one transaction makes or changes: few enough for it to be over in a moment, enough for its cost not to matter. */
const CHUNK = 5_000;

/** Rows that one transaction looks at, at the most, where few are wanted. */
const MOST_LOOKED_AT = 20_000;

/** The next rows of a table beyond a cursor, by their ids. */
export interface Window {
  /** The id of the last of them; the cursor itself when there is none. */
  last: number;
  /** There are no rows beyond. */
  isLast: boolean;
}

/**
 * @param calloutId looks at the rows of this callout only; null for all
 * @param size rows of the window
 */
export async function nextWindow(
  manager: EntityManager,
  table: Listed,
  cursor: number,
  { calloutId = null, size = CHUNK }: { calloutId?: number | null; size?: number } = {},
): Promise<Window> {
  const ofCallout = calloutId === null ? empty : sql`callout_id = ${calloutId} AND`;
  const [window] = await rowsOf<{ last: number | null; size: number }>(
    manager,
    sql`SELECT max(id) AS last, count(*) AS size
      FROM (SELECT id FROM ${raw(table)} WHERE ${ofCallout} id > ${cursor} ORDER BY id LIMIT ${size}) AS next`,
  );
  return { last: window?.last ?? cursor, isLast: (window?.size ?? 0) < size };
}

/**
 * How many rows of a whole table to look at next, so that about a chunk of them is wanted: by what was wanted of the rows before, of which there
 * are no more than their greatest id.
 */
export function sizeFor({ cursor, processed }: { cursor: number; processed: number }): number {
  const wanted = Math.ceil((CHUNK * cursor) / Math.max(1, processed));
  return Math.min(Math.max(CHUNK, wanted), MOST_LOOKED_AT);
}
