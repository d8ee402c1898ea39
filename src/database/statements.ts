import type { DataSource, EntityManager } from 'typeorm';
import sql, { type Sql } from 'sql-template-tag';
import { isPostgres } from './dialect.js';

type Connection = Pick<DataSource | EntityManager, 'query'>;

/** The rows that a statement returns. */
export function rowsOf<T = Record<string, unknown>>(connection: Connection, statement: Sql): Promise<T[]> {
  return connection.query(isPostgres ? statement.text : statement.sql, statement.values);
}

/** Runs a statement that writes, within a transaction, and tells how many rows it touched. */
export async function affectedBy(manager: EntityManager, statement: Sql): Promise<number> {
  if (isPostgres) {
    const result = await manager.queryRunner?.query(statement.text, statement.values, true);
    return result?.affected ?? 0;
  }
  await rowsOf(manager, statement);
  const [changes] = await rowsOf<{ count: number }>(manager, sql`SELECT changes() AS count`);
  return changes?.count ?? 0;
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
