import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { Outcome } from './statements.js';

/** Statements that are kept prepared, the last that were used. */
const MOST_PREPARED = 100;

/** The part of the driver that is used here; only ormconfig.ts knows the driver itself (docs/adr/0001). */
interface Driver {
  prepare(sql: string, done: (error: Error | null) => void): Prepared;
}
interface Prepared {
  all(values: unknown[], done: (error: Error | null, rows: unknown[]) => void): void;
  run(values: unknown[], done: (this: { changes: number }, error: Error | null) => void): void;
  finalize(done?: () => void): void;
}

const kept = new WeakMap<Driver, Map<string, Prepared>>();

/** Runs a statement through the driver, on the one connection that the data source has. */
export async function runOnSqlite<T>(
  connection: DataSource | EntityManager,
  { sql, values }: Sql,
): Promise<Outcome<T>> {
  const { driver } = 'connection' in connection ? connection.connection : (connection as DataSource);
  const statement = await prepare((driver as unknown as { databaseConnection: Driver }).databaseConnection, sql);
  return new Promise((resolve, reject) => {
    if (/^\s*(WITH\b.*)?(INSERT|UPDATE|DELETE)\b/s.test(sql) && !/\bRETURNING\b/.test(sql)) {
      statement.run(values, function (error) {
        if (error) reject(error);
        else resolve({ rows: [], affected: this.changes });
      });
    } else {
      statement.all(values, (error, rows) => {
        if (error) reject(error);
        else resolve({ rows: rows as T[], affected: rows.length });
      });
    }
  });
}

/** Lets go of what was prepared, without which the file cannot be closed. */
export async function forgetPrepared({ driver }: DataSource): Promise<void> {
  const { databaseConnection } = driver as unknown as { databaseConnection: Driver };
  const statements = [...(kept.get(databaseConnection)?.values() ?? [])];
  kept.delete(databaseConnection);
  await Promise.all(statements.map((statement) => new Promise<void>((resolve) => statement.finalize(resolve))));
}

async function prepare(driver: Driver, sql: string): Promise<Prepared> {
  const statements = kept.get(driver) ?? new Map<string, Prepared>();
  kept.set(driver, statements);
  const known = statements.get(sql);
  if (known) {
    statements.delete(sql);
    statements.set(sql, known);
    return known;
  }
  const statement = await new Promise<Prepared>((resolve, reject) => {
    const made = driver.prepare(sql, (error) => (error ? reject(error) : resolve(made)));
  });
  statements.set(sql, statement);
  for (const [oldest, old] of statements) {
    if (statements.size <= MOST_PREPARED) break;
    statements.delete(oldest);
    old.finalize();
  }
  return statement;
}
