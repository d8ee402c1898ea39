import sql, { type Sql, join } from 'sql-template-tag';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { locking } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';

// How queued calls are found, among millions that were made: never by a statement that hangs on what PostgreSQL believes of their number.

/**
 * The callouts of some statuses, in the order of their ids, that have a queued call for which `condition` holds. It goes by the index from one
 * callout with queued calls to the next, since there may be thousands of callouts that have none; and asks each of them for one such call only,
 * of perhaps a million.
 */
export async function calloutsWithQueued(
  transaction: Transaction,
  condition: Sql,
  statuses: readonly CalloutStatus[],
): Promise<number[]> {
  // SQLite would find a call without a callout first.
  const queued = sql`SELECT callout_id FROM phone_calls WHERE status = 'queued' AND callout_id IS NOT NULL`;
  const first = sql`${queued} ORDER BY callout_id, id LIMIT 1`;
  const next = sql`${queued} AND callout_id > queued.callout_id ORDER BY callout_id, id LIMIT 1`;
  const rows = await transaction.query<{ id: number }>(sql`WITH RECURSIVE queued (callout_id) AS (
        SELECT (${first})
        UNION ALL
        SELECT (${next}) FROM queued WHERE queued.callout_id IS NOT NULL
      )
      SELECT id FROM callouts WHERE status IN (${join([...statuses])}) AND id IN (SELECT callout_id FROM queued)
        AND (${queuedCalls(sql`callouts.id`, condition)} LIMIT 1) IS NOT NULL
      ORDER BY id`);
  return rows.map(({ id }) => id);
}

/**
 * Up to `count` queued calls of these callouts for which `condition` holds, locked: all of the first one's before any of the next; or, `evenly`,
 * as many of each, where what one has too few of is the share of those after it.
 */
export async function queuedOf(
  transaction: Transaction,
  callouts: number[],
  condition: Sql,
  count: number,
  { evenly = false } = {},
): Promise<number[]> {
  const ids: number[] = [];
  for (const [index, id] of callouts.entries()) {
    const left = count - ids.length;
    if (left <= 0) break;
    const most = evenly ? Math.ceil(left / (callouts.length - index)) : left;
    const rows = await transaction.query<{ id: number }>(
      sql`${queuedCalls(sql`${id}`, condition)} LIMIT ${most} ${locking('FOR UPDATE SKIP LOCKED')}`,
    );
    ids.push(...rows.map((row) => row.id));
  }
  return ids;
}

/**
 * The queued calls of a callout, in their order. Were the callout said to be equal, PostgreSQL would at times walk by the ids over all calls
 * that were ever made; as a range, it can only have that order from an index that begins with the callout.
 */
function queuedCalls(callout: Sql, condition: Sql): Sql {
  return sql`SELECT phone_calls.id FROM phone_calls
    WHERE phone_calls.callout_id BETWEEN ${callout} AND ${callout} AND phone_calls.status = 'queued' AND ${condition}
    ORDER BY phone_calls.callout_id, phone_calls.id`;
}
