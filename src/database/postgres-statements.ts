import type { Pool, PoolClient } from 'pg';
import sql, { type Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { Outcome } from './statements.js';

/** Statements that are prepared, once a connection; those beyond are planned anew each time. Each costs the server some memory. */
const MOST_PREPARED = 200;

/** Longer statements, and those with many parameters, are made anew each time they are needed. */
const LONGEST_PREPARED = 4_000;
const MOST_PARAMETERS = 20;

/** The name under which each statement that came twice is prepared; null while it came once. */
const names = new Map<string, string | null>();
let prepared = 0;

/** Runs a statement through the driver: within the transaction of a manager that has one, else on any connection of the pool. */
export async function runOnPostgres<T>(connection: DataSource | EntityManager, statement: Sql): Promise<Outcome<T>> {
  return runNamed(connection, statement, nameOf(statement.text, statement.values.length));
}

/**
 * Runs a statement that writes very many rows, within a transaction, for the rest of which the server keeps the plans of its foreign key
 * checks: else it would make one anew for each row, since `plan_cache_mode` (ormconfig.ts) is about those too. The statement itself has no
 * name, and so is planned for just these values.
 */
export async function runManyOnPostgres<T>(manager: EntityManager, statement: Sql): Promise<Outcome<T>> {
  await runNamed(manager, sql`SET LOCAL plan_cache_mode = auto`, undefined);
  return runNamed(manager, statement, undefined);
}

async function runNamed<T>(
  connection: DataSource | EntityManager,
  { text, values }: Sql,
  name: string | undefined,
): Promise<Outcome<T>> {
  const client = await clientOf(connection);
  const { rows, rowCount } = await client.query({ name, text, values });
  return { rows: rows as T[], affected: rowCount ?? 0 };
}

async function clientOf(connection: DataSource | EntityManager): Promise<Pool | PoolClient> {
  const runner = 'queryRunner' in connection ? connection.queryRunner : undefined;
  if (runner) return (await runner.connect()) as PoolClient;
  const { driver } = 'connection' in connection ? connection.connection : (connection as DataSource);
  return (driver as unknown as { master: Pool }).master;
}

function nameOf(text: string, parameters: number): string | undefined {
  if (text.length > LONGEST_PREPARED || parameters > MOST_PARAMETERS) return undefined;
  const name = names.get(text);
  if (name) return name;
  if (prepared >= MOST_PREPARED) return undefined;
  if (name === undefined) {
    // What was seen once is forgotten before it can fill the memory.
    if (names.size > 10 * MOST_PREPARED) for (const [seen, given] of names) if (given === null) names.delete(seen);
    names.set(text, null);
    return undefined;
  }
  names.set(text, `scfm_${++prepared}`);
  return names.get(text) ?? undefined;
}
