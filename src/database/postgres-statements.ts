import type { Pool, PoolClient } from 'pg';
import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { Outcome, Plan } from './statement-outcome.js';

/** Statements whose plans are kept. Each costs each connection some memory. */
const MOST_KEPT = 200;

/** The name under which each of those is prepared. */
const names = new Map<string, string>();

/** Runs a statement through the driver: within the transaction of a manager that has one, else on any connection of the pool. */
export async function runOnPostgres<T>(
  connection: DataSource | EntityManager,
  statement: Sql,
  plan: Plan,
): Promise<Outcome<T>> {
  return runOn<T>(await clientOf(connection), statement, plan);
}

/** Runs a statement on a connection, or on any of a pool. */
export async function runOn<T>(client: Pool | PoolClient, { text, values }: Sql, plan: Plan): Promise<Outcome<T>> {
  const { rows, rowCount } = await client.query({ name: plan === 'kept' ? nameOf(text) : undefined, text, values });
  return { rows: rows as T[], affected: rowCount ?? 0 };
}

/** The driver's pool of a data source. */
export function poolOf({ driver }: DataSource): Pool {
  return (driver as unknown as { master: Pool }).master;
}

async function clientOf(connection: DataSource | EntityManager): Promise<Pool | PoolClient> {
  const runner = 'queryRunner' in connection ? connection.queryRunner : undefined;
  if (runner) return (await runner.connect()) as PoolClient;
  return poolOf('connection' in connection ? connection.connection : (connection as DataSource));
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known || names.size >= MOST_KEPT) return known;
  const name = `scfm_${names.size + 1}`;
  names.set(text, name);
  return name;
}
