import { LRUCache } from 'lru-cache';
import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { Outcome } from './statement-outcome.js';

/** Statements that are kept prepared on each connection: those used last. */
const MOST_PREPARED = 100;

/** The part of the driver that is used here; only ormconfig.ts knows the driver itself (docs/adr/0001). */
interface Driver {
  prepare(sql: string, done: (error: Error | null) => void): Prepared;
  interrupt(): void;
}
interface Prepared {
  all(values: unknown[], done: (error: Error | null, rows: unknown[]) => void): void;
  run(values: unknown[], done: (this: { changes: number }, error: Error | null) => void): void;
  finalize(done?: () => void): void;
}

/** A promise for each statement, so that two first uses at the same time prepare it once. */
type Statements = LRUCache<string, Promise<Prepared>>;

const kept = new WeakMap<Driver, Statements>();

/** Runs a statement through the driver, on the one connection that the data source has. */
export async function runOnSqlite<T>(
  connection: DataSource | EntityManager,
  { sql, values }: Sql,
): Promise<Outcome<T>> {
  const dataSource = 'connection' in connection ? connection.connection : connection;
  const statement = await prepare(driverOf(dataSource as DataSource), sql);
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

/** Makes the statement fail that runs on the connection, if one does. */
export function interruptSqlite(dataSource: DataSource): void {
  driverOf(dataSource).interrupt();
}

/** Finalizes all prepared statements of a data source. SQLite refuses to close a file while there is one. */
export async function forgetPrepared(dataSource: DataSource): Promise<void> {
  const driver = driverOf(dataSource);
  const statements = [...(kept.get(driver)?.values() ?? [])];
  kept.delete(driver);
  await Promise.all(statements.map(finalize));
}

function driverOf({ driver }: DataSource): Driver {
  return (driver as unknown as { databaseConnection: Driver }).databaseConnection;
}

function prepare(driver: Driver, sql: string): Promise<Prepared> {
  const statements = statementsOf(driver);
  const known = statements.get(sql);
  if (known) return known;
  const preparing = new Promise<Prepared>((resolve, reject) => {
    const statement = driver.prepare(sql, (error) => (error ? reject(error) : resolve(statement)));
  });
  statements.set(sql, preparing);
  preparing.catch(() => {
    // What could not be prepared is tried again by the next use.
    if (statements.peek(sql) === preparing) statements.delete(sql);
  });
  return preparing;
}

function statementsOf(driver: Driver): Statements {
  const known = kept.get(driver);
  if (known) return known;
  const statements: Statements = new LRUCache({ max: MOST_PREPARED, dispose: (statement) => void finalize(statement) });
  kept.set(driver, statements);
  return statements;
}

/** Never fails: a statement that could not be prepared has nothing to finalize. */
async function finalize(statement: Promise<Prepared>): Promise<void> {
  const prepared = await statement.catch(() => undefined);
  await new Promise<void>((resolve) => (prepared ? prepared.finalize(() => resolve()) : resolve()));
}
