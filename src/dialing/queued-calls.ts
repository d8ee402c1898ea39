import sql, { type Sql } from 'sql-template-tag';
import { lockClause } from '../database/dialect.js';
import type { Callout } from '../callouts/callout.entity.js';
import type { Transaction } from '../database/transaction.js';
import type { RemainingCalls } from './callout-limits.js';
import { matchAll } from '../api/filters/filter.js';

// Finds queued calls among millions of others. No statement here depends on PostgreSQL's statistics.

/** A callout that has queued calls, and whether it has a dial plan. */
export type CalloutWithQueued = Pick<Callout, 'id' | 'priority'> & { has_plan: boolean | number };

/**
 * Finds callouts that have a queued call.
 * @param condition the condition for the call
 * @param calloutCondition the condition for the callout
 * @returns the callouts, by ascending id
 */
export function findCalloutsWithQueued(
  transaction: Transaction,
  condition: Sql,
  calloutCondition: Sql,
): Promise<CalloutWithQueued[]> {
  return transaction.query<CalloutWithQueued>(selectCalloutsWithQueued(condition, calloutCondition));
}

/**
 * @param calloutCondition the condition for the callout
 * @returns the condition that any such callout has a queued call, due or not
 */
export function hasQueuedCalls(calloutCondition: Sql): Sql {
  return sql`EXISTS (${selectCalloutsWithQueued(matchAll, calloutCondition)})`;
}

/**
 * Skips through the index from one callout with queued calls to the next, because thousands of callouts may have none.
 * Reads one call of each callout, which may have a million.
 */
export function selectCalloutsWithQueued(condition: Sql, calloutCondition: Sql): Sql {
  // Without IS NOT NULL, SQLite finds calls without a callout first.
  const queued = sql`SELECT callout_id FROM phone_calls WHERE status = 'queued' AND callout_id IS NOT NULL`;
  const first = sql`${queued} ORDER BY callout_id, id LIMIT 1`;
  const next = sql`${queued} AND callout_id > queued.callout_id ORDER BY callout_id, id LIMIT 1`;
  return sql`WITH RECURSIVE queued (callout_id) AS (
      SELECT (${first})
      UNION ALL
      SELECT (${next}) FROM queued WHERE queued.callout_id IS NOT NULL
    )
    SELECT id, priority, dial_plan IS NOT NULL AS has_plan FROM callouts WHERE ${calloutCondition} AND id IN (SELECT callout_id FROM queued)
      AND (${queuedCalls(sql`callouts.id`, condition)} LIMIT 1) IS NOT NULL
    ORDER BY id`;
}

/**
 * Finds and locks queued calls of callouts: all calls of the first callout, then those of the next.
 * @param condition the condition for the calls
 * @param count the maximum number of calls
 * @param options.evenly takes equally many calls of each callout. The next callouts share what one callout lacks
 * @param options.limits how many calls of each callout may be taken
 * @param options.columns the columns of the result. By default, it has the ids
 */
export async function lockQueuedCalls<Row = { id: number }>(
  transaction: Transaction,
  callouts: readonly CalloutWithQueued[],
  condition: Sql,
  count: number,
  { evenly = false, limits, columns }: { evenly?: boolean; limits?: RemainingCalls; columns?: Sql } = {},
): Promise<Row[]> {
  const calls: Row[] = [];
  for (const [index, { id }] of callouts.entries()) {
    const left = count - calls.length;
    if (left <= 0) break;
    const share = evenly ? Math.ceil(left / (callouts.length - index)) : left;
    const most = Math.min(share, limits?.of(id) ?? share);
    if (most <= 0) continue;
    const rows = await transaction.query<Row>(
      sql`${queuedCalls(sql`${id}`, condition, columns)} LIMIT ${most} ${lockClause('FOR UPDATE SKIP LOCKED')}`,
    );
    calls.push(...rows);
  }
  return calls;
}

/**
 * Selects the queued calls of a callout, in order. With `=`, the planner may pick the primary key and scan every call.
 * BETWEEN forces the index on (callout_id, id).
 */
function queuedCalls(callout: Sql, condition: Sql, columns: Sql = sql`phone_calls.id`): Sql {
  return sql`SELECT ${columns} FROM phone_calls
    WHERE phone_calls.callout_id BETWEEN ${callout} AND ${callout} AND phone_calls.status = 'queued' AND ${condition}
    ORDER BY phone_calls.callout_id, phone_calls.id`;
}
