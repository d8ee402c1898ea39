import sql, { empty, raw } from 'sql-template-tag';
import type { Transaction } from '../../database/transaction.js';
import type { ListedTable } from './listed-resources.js';

/** Rows that one transaction scans: few enough to be quick, and enough to make its overhead negligible. */
const CHUNK_SIZE = 5_000;

/** The most rows that one transaction scans, when few of them match. */
const MAX_WINDOW_SIZE = 20_000;

/** The next rows of a table after a cursor, in the order of their ids. */
export interface IdWindow {
  /** The id of the last row in the window. An empty window keeps the cursor that it was read from. */
  cursor: number;
  /** How many rows the window has. */
  scanned: number;
  /** Whether no rows follow. */
  done: boolean;
}

/**
 * Reads the next window of a table.
 * @param cursor the id that the window begins after
 * @param size the most rows in the window
 * @param calloutId limits the window to the rows of this callout; null for all rows
 */
export async function nextIdWindow(
  transaction: Transaction,
  table: ListedTable,
  cursor: number,
  size: number,
  calloutId: number | null = null,
): Promise<IdWindow> {
  const ofCallout = calloutId === null ? empty : sql`callout_id = ${calloutId} AND`;
  const [window] = await transaction.query<{
    last: number | null;
    scanned: number;
  }>(sql`SELECT max(id) AS last, count(*) AS scanned
      FROM (SELECT id FROM ${raw(table)} WHERE ${ofCallout} id > ${cursor} ORDER BY id LIMIT ${size}) AS next`);
  const scanned = window?.scanned ?? 0;
  return { cursor: window?.last ?? cursor, scanned, done: scanned < size };
}

/**
 * Returns how many rows the next chunk scans. The window doubles while a chunk makes at most half of `CHUNK_SIZE` rows,
 * and returns to `CHUNK_SIZE` after a chunk that makes more than `CHUNK_SIZE`. A run that goes from rows that do not
 * match to rows that all match therefore has one large transaction at most.
 * @param last the previous chunk; undefined for the first one
 */
export function nextWindowSize(last?: { scanned: number; processed: number }): number {
  if (!last || last.processed > CHUNK_SIZE) return CHUNK_SIZE;
  return Math.min(last.processed <= CHUNK_SIZE / 2 ? 2 * last.scanned : last.scanned, MAX_WINDOW_SIZE);
}
