import sql, { type Sql, join, raw } from 'sql-template-tag';
import { inList, inSubquery, isPostgres, lockClause, notIndexed, now, secondsFromNow } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { DuePerson } from '../dialing/dial-gate.js';
import { type Outcome, unfinishedOutcomes } from '../outcomes/outcome-names.js';

// Finds people among the participations of a callout. What a statement costs depends neither on their number nor on the
// statistics of PostgreSQL: each reads one range of an index, and its order fits that index only.

/** The condition of the participations that the index `callout_participations_due` contains. */
const isOpen = sql`outcome IN ('waiting', 'retrying')`;

/** The same condition for participations that are found by their ids. It keeps PostgreSQL from reading that index. */
const isOpenRow = sql`${notIndexed('outcome')} IN ('waiting', 'retrying')`;

/** People who wait for their turn, and people whose time was planned and has come. */
export const isNext = sql`next_call_at IS NULL`;
export const isPlannedByNow = sql`next_call_at <= ${once(now)}`;

const personColumns = sql`id AS "participationId", contact_id AS "contactId", callout_id AS "calloutId", msisdn`;

/** Finds people with a condition on `next_call_at`, up to `most`. */
export function selectDue(
  transaction: Transaction,
  calloutId: number,
  condition: Sql,
  most: number,
): Promise<DuePerson[]> {
  return transaction.query<DuePerson>(sql`${duePeople(sql`${calloutId}`, personColumns, condition)} LIMIT ${most}`);
}

/**
 * Locks people until the transaction ends, in the order of their ids. Not needed on SQLite, where the transaction is
 * the only writer.
 * @returns those who are still due, as they are after the lock was taken
 */
export async function lockDue(transaction: Transaction, people: readonly DuePerson[]): Promise<DuePerson[]> {
  if (!isPostgres || people.length === 0) return [...people];
  const ids = people.map(({ participationId }) => participationId);
  return transaction.query<DuePerson>(sql`SELECT ${personColumns} FROM callout_participations
      WHERE ${inList(sql`id`, ids)} AND ${isOpenRow} AND (next_call_at IS NULL OR next_call_at <= ${now})
      ORDER BY id ${lockClause('FOR NO KEY UPDATE')}`);
}

/** The condition that a callout has people to be called, now or later. */
export const hasOpen = (calloutId: Sql): Sql =>
  join([hasWith(calloutId, 'waiting'), hasWith(calloutId, 'retrying')], ' OR ', '(', ')');

/** The condition that a callout has people who are due. */
export const hasDue = (calloutId: Sql): Sql =>
  join(
    [isNext, isPlannedByNow].map((condition) => exists(duePeople(calloutId, sql`id`, condition))),
    ' OR ',
    '(',
    ')',
  );

/** The condition that a callout has people to be called or being called. */
export const hasUnfinished = (calloutId: Sql): Sql =>
  join(
    unfinishedOutcomes.map((outcome) => hasWith(calloutId, outcome)),
    ' OR ',
    '(',
    ')',
  );

/**
 * Moves the planned times of people that are later than any pause allows: they were written before the clock of the
 * database stepped back.
 * @param longest the longest pause of the callout's plan (s)
 * @returns how many people were moved, up to `most`
 */
export async function limitPauses(
  transaction: Transaction,
  calloutId: number,
  longest: number,
  most: number,
): Promise<number> {
  const latest = secondsFromNow(longest);
  const isLate = sql`next_call_at > ${once(latest)} AND waiting_for IS NULL`;
  const late = sql`${duePeople(sql`${calloutId}`, sql`id`, isLate)} LIMIT ${most}`;
  const moved = await transaction.query(sql`UPDATE callout_participations SET next_call_at = ${latest}
      WHERE ${inSubquery(sql`id`, late)} AND ${isOpenRow} RETURNING id`);
  return moved.length;
}

function duePeople(calloutId: Sql, columns: Sql, condition: Sql): Sql {
  return sql`SELECT ${columns} FROM callout_participations
    WHERE callout_participations.callout_id = ${calloutId} AND ${isOpen} AND ${condition}
    ORDER BY callout_id, next_call_at, callout_participations.id`;
}

/** BETWEEN keeps PostgreSQL from reading the participations in another order, most of which it may believe to match. */
function hasWith(calloutId: Sql, outcome: Outcome): Sql {
  const name = raw(`'${outcome}'`);
  return exists(sql`SELECT callout_participations.id FROM callout_participations
    WHERE callout_participations.callout_id = ${calloutId} AND outcome BETWEEN ${name} AND ${name}
    ORDER BY callout_id, outcome, callout_participations.id`);
}

/** A scalar subquery, which reads one row of an index. The planner may turn EXISTS into a join of whole tables. */
function exists(query: Sql): Sql {
  return sql`(${query} LIMIT 1) IS NOT NULL`;
}

/** A time as a subquery. PostgreSQL does not look up the value of a volatile function in an index. */
function once(time: Sql): Sql {
  return sql`(SELECT ${time})`;
}
