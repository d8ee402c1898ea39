import sql, { type Sql, empty, join, raw } from 'sql-template-tag';
import { getMetadataArgsStorage } from 'typeorm';
import { notIndexed, now } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { markCalling, refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { checkMachine } from '../state-machine/check-machine.js';
import { PhoneCall } from './phone-call.entity.js';
import {
  type BookkeepingColumn,
  type Move,
  type PhoneCallMove,
  type PhoneCallStatus,
  bookkeepingColumns,
  canChangeOutcome,
  derivedColumns,
  phoneCallBookkeeping,
  phoneCallMoves,
  phoneCallStatuses,
} from './phone-call.machine.js';

// The only module that writes the status of a phone call, the columns that depend on it, and the outcomes that follow
// from it. Other modules say which calls a move is about.

/** A value or an expression. An expression may refer to the row before the update. */
type Value = Sql | string | number | null;

/** The values that a move needs, by column. */
export type MoveValues<M extends PhoneCallMove> = Readonly<Record<(typeof phoneCallMoves)[M]['sets'][number], Value>>;

/** Which calls a move is about, and what it writes. */
export interface MoveStatement<M extends PhoneCallMove> {
  /** The values that the move requires, by column. */
  values: MoveValues<M>;
  /** The new status if the move can lead to several: a status, or an expression for set-based statements. */
  target?: PhoneCallStatus | Sql;
  /** Further assignments: columns that do not depend on the status. */
  set?: Sql;
  /** Common table expressions that `where` refers to. */
  with?: Sql;
  /** A table that the statement joins, such as `recordset(…)`. */
  from?: Sql;
  /** The condition for the calls, besides {@link canMove}. */
  where: Sql;
  /** The columns of the result. By default, it has the ids. */
  returning?: Sql;
  /** The status column for {@link canMove}. */
  status?: Sql;
  /**
   * Receives the participations whose outcomes the move may have changed. The caller then refreshes them itself, at the
   * end of a transaction that moves calls several times or locks contacts in between. By default, they are refreshed at
   * once.
   */
  participations?: Set<number>;
}

/**
 * Moves the calls that the statement finds and whose status permits the move, in one statement. If the move can change
 * the outcomes of participations, they follow in the same transaction. Locks the calls in any order: if other
 * transactions may move them at the same time, the caller locks them first (`lockPhoneCalls`).
 *
 * @returns a row for each call that was moved
 */
export async function movePhoneCalls<M extends PhoneCallMove, Row = { id: number }>(
  transaction: Transaction,
  move: M,
  { values, target, set, with: expressions, from, where, returning, status, participations }: MoveStatement<M>,
): Promise<Row[]> {
  const changes = [setClause(move, values, target), ...(set ? [set] : [])];
  const isRelevant = canChangeOutcome(move);
  const columns = [
    returning ?? raw('phone_calls.id'),
    ...(isRelevant ? [raw('phone_calls.callout_participation_id AS moved_participation_id')] : []),
  ];
  const rows = await transaction.query<
    Row & { moved_participation_id?: number | null }
  >(sql`${expressions ? sql`WITH ${expressions}` : empty} UPDATE phone_calls
      SET ${join(changes, ', ')} ${from ? sql`FROM ${from}` : empty}
      WHERE (${where}) AND ${canMove(move, status)} RETURNING ${join(columns, ', ')}`);
  if (!isRelevant) return rows;
  const moved = participations ?? new Set<number>();
  for (const row of rows) {
    // An inbound call belongs to no participation.
    if (row.moved_participation_id) moved.add(row.moved_participation_id);
    delete row.moved_participation_id;
  }
  if (!participations) await (move === 'queue' ? markCalling : refreshOutcomes)(transaction, moved);
  return rows;
}

/**
 * Builds the SET clause of a move: the status, the bookkeeping columns that the move changes, and `updated_at`. A move
 * that never changes the status only writes `values`.
 * @param values the values that the move requires, by column
 * @param target the new status if the move can lead to several: a status, or an expression for set-based statements
 * @throws Error when the move does not lead to the target
 */
function setClause<M extends PhoneCallMove>(move: M, values: MoveValues<M>, target?: PhoneCallStatus | Sql): Sql {
  const { from, to, stays = [] }: Move = phoneCallMoves[move];
  const possible = [...new Set([...to, ...stays])];
  if (typeof target === 'string' && !possible.includes(target)) throw new Error(`${move} does not lead to ${target}`);
  const targets = typeof target === 'string' ? [target] : possible;
  const keepsStatus = from.every((status) => to.length === 0 || (to.length === 1 && to[0] === status));
  const status = typeof target === 'string' ? statusText(target) : (target ?? statusText(targets[0]!));
  if (keepsStatus) {
    return join(Object.entries<Value>(values).map(([column, value]) => sql`${raw(column)} = ${value}`));
  }
  return join(
    [
      sql`status = ${status}`,
      sql`updated_at = ${now}`,
      ...bookkeepingColumns.flatMap((column) => {
        const value = (values as Partial<Record<BookkeepingColumn, Value>>)[column];
        return assignment(column, value, from, targets, status);
      }),
    ],
    ', ',
  );
}

/**
 * Lists the columns and values of an INSERT that depend on the status. Other bookkeeping columns keep their defaults.
 * @param values the values that the move requires, by column
 */
export function insertion<M extends 'create' | 'attempt' | 'receive'>(
  move: M,
  values: MoveValues<M>,
): { columns: Sql; values: Sql } {
  const given = Object.entries<Value>(values);
  return {
    columns: join([raw('status'), ...given.map(([column]) => raw(column))]),
    values: join([statusText(phoneCallMoves[move].to[0]), ...given.map(([, value]) => sql`${value}`)]),
  };
}

/**
 * Builds the condition that a move is possible for a row of `phone_calls`.
 * @param status the status column. By default, it is written so that no index matches it, for statements that find
 *   their rows by other columns
 */
export function canMove(move: PhoneCallMove, status: Sql = notIndexed('phone_calls.status')): Sql {
  const { from, requires = [] }: Move = phoneCallMoves[move];
  return join(
    [
      from.length === 1 ? sql`${status} = ${statusText(from[0]!)}` : sql`${status} IN (${join(from.map(statusText))})`,
      ...requires.map((column) => sql`${raw(`phone_calls.${column}`)} IS NOT NULL`),
    ],
    ' AND ',
  );
}

/** @returns whether a move is possible for a call with this status. Does not check the columns that it requires */
export function isMovable(move: PhoneCallMove, status: PhoneCallStatus): boolean {
  const { from }: Move = phoneCallMoves[move];
  return from.includes(status);
}

/**
 * Checks that the machine is complete and matches the entity. The program calls it when it starts.
 * @throws StateMachineError when the machine is wrong
 */
export function checkPhoneCallMachine(): void {
  checkMachine({
    name: 'phone calls',
    statuses: phoneCallStatuses,
    bookkeeping: phoneCallBookkeeping,
    moves: phoneCallMoves,
    columns: bookkeepingColumns,
    derivedColumns,
    tableColumns: getMetadataArgsStorage()
      .filterColumns(PhoneCall)
      .map(({ propertyName }) => propertyName),
  });
}

/** When the call ended. A later update of a call that has ended keeps it. */
const endedAt = sql`coalesce(phone_calls.ended_at, ${now})`;

/** @returns what a move to `target` writes to a column; undefined if it keeps the value */
function newValue(column: BookkeepingColumn, value: Value | undefined, target: PhoneCallStatus): Value | undefined {
  const rule = phoneCallBookkeeping[target][column];
  if (rule === 'null') return null;
  if (column === 'ended_at') return endedAt;
  return rule === 'zero' ? 0 : value;
}

/** @returns the assignment of a column, as a CASE if it depends on the target; empty if no target changes the column */
function assignment(
  column: BookkeepingColumn,
  value: Value | undefined,
  from: readonly PhoneCallStatus[],
  targets: readonly PhoneCallStatus[],
  status: Sql,
): Sql[] {
  const byValue = new Map<Value | undefined, PhoneCallStatus[]>();
  for (const target of targets) {
    const next = newValue(column, value, target);
    byValue.set(next, [...(byValue.get(next) ?? []), target]);
  }
  const rules = new Set(from.map((one) => phoneCallBookkeeping[one][column]));
  const [first] = byValue.keys();
  if (byValue.size === 1) {
    const isAlready = rules.size === 1 && ((first === null && rules.has('null')) || (first === 0 && rules.has('zero')));
    return first === undefined || (isAlready && value === undefined) ? [] : [sql`${raw(column)} = ${first}`];
  }
  const kept = raw(`phone_calls.${column}`);
  const cases = [...byValue].map(
    ([next, some]) => sql`WHEN ${status} IN (${join(some.map(statusText))}) THEN ${next === undefined ? kept : next}`,
  );
  return [sql`${raw(column)} = CASE ${join(cases, ' ')} END`];
}

/** @returns the status as a literal: with a parameter, PostgreSQL cannot use partial indexes */
function statusText(status: PhoneCallStatus): Sql {
  return raw(`'${status}'`);
}
