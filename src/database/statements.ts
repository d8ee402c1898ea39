import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import { isPostgres } from './dialect.js';
import { runManyOnPostgres, runOnPostgres } from './postgres-statements.js';
import { runOnSqlite } from './sqlite-statements.js';

/** What a statement came to: the rows that it returns, and how many it returned or touched. */
export interface Outcome<T> {
  rows: T[];
  affected: number;
}

/**
 * Runs a statement past the ORM, prepared where it comes again; within the transaction of a manager, if that is what is given.
 * @throws Error the driver's
 */
function run<T>(connection: DataSource | EntityManager, statement: Sql): Promise<Outcome<T>> {
  return isPostgres ? runOnPostgres<T>(connection, statement) : runOnSqlite<T>(connection, statement);
}

/** The rows that a statement returns. */
export async function rowsOf<T = Record<string, unknown>>(
  connection: DataSource | EntityManager,
  statement: Sql,
): Promise<T[]> {
  return (await run<T>(connection, statement)).rows;
}

/** Runs a statement that writes, within a transaction, and tells how many rows it touched. */
export async function affectedBy(manager: EntityManager, statement: Sql): Promise<number> {
  return (await run(manager, statement)).affected;
}

/** As `affectedBy`, for a statement that touches thousands of rows. */
export async function manyAffectedBy(manager: EntityManager, statement: Sql): Promise<number> {
  const ran = isPostgres ? runManyOnPostgres(manager, statement) : runOnSqlite(manager, statement);
  return (await ran).affected;
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
