import type { Pool, PoolClient } from 'pg';
import type { Sql } from 'sql-template-tag';
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
  const { text, values } = statement;
  const client = await clientOf(connection);
  const { rows, rowCount } = await client.query({ name: nameOf(text, values.length), text, values });
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
