import type { Pool, PoolClient } from 'pg';
import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { StatementOptions, StatementResult } from './statement-result.js';

/** How many statements are prepared at most. Each of them costs each connection some memory. */
const MAX_PREPARED = 200;

/** The names under which statements are prepared, by their text. */
const preparedNames = new Map<string, string>();

/**
 * Runs a statement through the driver: in the transaction of a manager that has one, or else on any connection of the
 * pool.
 */
export async function runOnPostgres<T>(
  connection: DataSource | EntityManager,
  statement: Sql,
  options: StatementOptions,
): Promise<StatementResult<T>> {
  return runOn<T>(await findClient(connection), statement, options);
}

/** Runs a statement on a connection, or on any connection of a pool. */
export async function runOn<T>(
  client: Pool | PoolClient,
  { text, values }: Sql,
  { prepared = false }: StatementOptions = {},
): Promise<StatementResult<T>> {
  const { rows, rowCount } = await client.query({ name: prepared ? preparedName(text) : undefined, text, values });
  return { rows: rows as T[], affected: rowCount ?? 0 };
}

/** @returns the driver's pool of a data source */
export function findPool({ driver }: DataSource): Pool {
  return (driver as unknown as { master: Pool }).master;
}

async function findClient(connection: DataSource | EntityManager): Promise<Pool | PoolClient> {
  const runner = 'queryRunner' in connection ? connection.queryRunner : undefined;
  if (runner) return (await runner.connect()) as PoolClient;
  return findPool('connection' in connection ? connection.connection : (connection as DataSource));
}

function preparedName(text: string): string | undefined {
  const known = preparedNames.get(text);
  if (known || preparedNames.size >= MAX_PREPARED) return known;
  const name = `scfm_${preparedNames.size + 1}`;
  preparedNames.set(text, name);
  return name;
}
