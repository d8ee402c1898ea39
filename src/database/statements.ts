import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import { isPostgres } from './dialect.js';
import { runOnPostgres } from './postgres-statements.js';
import { runOnSqlite } from './sqlite-statements.js';
import type { StatementOptions, StatementResult } from './statement-result.js';

// Statements that go to the driver without the ORM. A manager with an open transaction runs them in that transaction.

/**
 * Runs a statement that reads, or that returns what it wrote.
 *
 * @returns its rows
 * @throws Error of the driver
 */
export async function query<T = Record<string, unknown>>(
  connection: DataSource | EntityManager,
  statement: Sql,
  options: StatementOptions = {},
): Promise<T[]> {
  return (await run<T>(connection, statement, options)).rows;
}

/**
 * Runs a statement that writes.
 *
 * @returns how many rows it inserted, updated or deleted
 * @throws Error of the driver
 */
export async function execute(connection: DataSource | EntityManager, statement: Sql): Promise<number> {
  return (await run(connection, statement, {})).affected;
}

function run<T>(
  connection: DataSource | EntityManager,
  statement: Sql,
  options: StatementOptions,
): Promise<StatementResult<T>> {
  return isPostgres ? runOnPostgres<T>(connection, statement, options) : runOnSqlite<T>(connection, statement);
}
