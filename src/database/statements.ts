import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import { isPostgres } from './dialect.js';
import { runOnPostgres } from './postgres-statements.js';
import { runOnSqlite } from './sqlite-statements.js';
import type { Outcome, Plan } from './statement-outcome.js';

/**
 * Runs a statement past the ORM; within the transaction of a manager, if that is what is given.
 * @throws Error the driver's
 */
export function runStatement<T>(
  connection: DataSource | EntityManager,
  statement: Sql,
  plan: Plan,
): Promise<Outcome<T>> {
  return isPostgres ? runOnPostgres<T>(connection, statement, plan) : runOnSqlite<T>(connection, statement);
}

/** The rows that a statement returns. */
export async function rowsOf<T = Record<string, unknown>>(
  connection: DataSource | EntityManager,
  statement: Sql,
  plan: Plan = 'anew',
): Promise<T[]> {
  return (await runStatement<T>(connection, statement, plan)).rows;
}

/**
 * The name of the unique index that `error` is about, or undefined when it is about something else. SQLite names the columns only;
 * our indexes are named after those (`<table>_<columns>_key`).
 */
export function violatedUniqueIndex(error: unknown): string | undefined {
  const { code, constraint, message } = Object(error) as { code?: string; constraint?: string; message?: string };
  if (code === '23505') return constraint;
  const columns = /UNIQUE constraint failed: (.+)$/.exec(code === 'SQLITE_CONSTRAINT' ? (message ?? '') : '')?.[1];
  if (!columns) return undefined;
  const [table] = columns.split('.');
  return [table, ...columns.split(', ').map((column) => column.split('.')[1]), 'key'].join('_');
}
