import sql, { empty, raw } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { rowsOf } from '../../database/statements.js';
import type { Listed } from './listed.js';

/** Rows that one transaction looks at: few enough for it to be over in a moment, enough for its cost not to matter. */
const CHUNK = 5_000;

/** The next rows of a table beyond a cursor, by their ids. */
export interface Window {
  /** The id of the last of them; the cursor itself when there is none. */
  last: number;
  /** There are no rows beyond. */
  isLast: boolean;
}

/** @param calloutId looks at the rows of this callout only; null for all */
export async function nextWindow(
  manager: EntityManager,
  table: Listed,
  cursor: number,
  calloutId: number | null = null,
): Promise<Window> {
  const ofCallout = calloutId === null ? empty : sql`callout_id = ${calloutId} AND`;
  const [window] = await rowsOf<{ last: number | null; size: number }>(
    manager,
    sql`SELECT max(id) AS last, count(*) AS size
      FROM (SELECT id FROM ${raw(table)} WHERE ${ofCallout} id > ${cursor} ORDER BY id LIMIT ${CHUNK}) AS next`,
  );
  return { last: window?.last ?? cursor, isLast: (window?.size ?? 0) < CHUNK };
}
