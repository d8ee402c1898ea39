import { LRUCache } from 'lru-cache';
import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { StatementResult } from './statement-result.js';

/** How many statements each connection keeps prepared: those that were used last. */
const MAX_PREPARED = 100;

/** The part of the driver that is used here. Only data-source-options.ts imports the driver (docs/adr/0001). */
interface Driver {
  prepare(sql: string, done: (error: Error | null) => void): Prepared;
  interrupt(): void;
}

interface Prepared {
  all(values: unknown[], done: (error: Error | null, rows: unknown[]) => void): void;
  run(values: unknown[], done: (this: { changes: number }, error: Error | null) => void): void;
  finalize(done?: () => void): void;
}

/** One promise for each statement, so that concurrent first uses prepare it only once. */
type StatementCache = LRUCache<string, Promise<Prepared>>;

const caches = new WeakMap<Driver, StatementCache>();

/** Runs a statement through the driver, on the only connection of the data source. */
export async function runOnSqlite<T>(
  connection: DataSource | EntityManager,
  { sql, values }: Sql,
): Promise<StatementResult<T>> {
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

/** Ends the statement that runs on the connection, if there is one. That statement fails. */
export function interruptSqlite(dataSource: DataSource): void {
  driverOf(dataSource).interrupt();
}

/** Finalizes all prepared statements of a data source. SQLite does not close a file before that. */
export async function finalizeStatements(dataSource: DataSource): Promise<void> {
  const driver = driverOf(dataSource);
  const statements = [...(caches.get(driver)?.values() ?? [])];
  caches.delete(driver);
  await Promise.all(statements.map(finalize));
}

function driverOf({ driver }: DataSource): Driver {
  return (driver as unknown as { databaseConnection: Driver }).databaseConnection;
}

function prepare(driver: Driver, sql: string): Promise<Prepared> {
  const statements = cacheOf(driver);
  const known = statements.get(sql);
  if (known) return known;
  const preparing = new Promise<Prepared>((resolve, reject) => {
    const statement = driver.prepare(sql, (error) => (error ? reject(error) : resolve(statement)));
  });
  statements.set(sql, preparing);
  preparing.catch(() => {
    // The next use tries again.
    if (statements.peek(sql) === preparing) statements.delete(sql);
  });
  return preparing;
}

function cacheOf(driver: Driver): StatementCache {
  const known = caches.get(driver);
  if (known) return known;
  const statements: StatementCache = new LRUCache({
    max: MAX_PREPARED,
    dispose: (statement) => void finalize(statement),
  });
  caches.set(driver, statements);
  return statements;
}

/** Never fails: a statement that could not be prepared has nothing to finalize. */
async function finalize(statement: Promise<Prepared>): Promise<void> {
  const prepared = await statement.catch(() => undefined);
  await new Promise<void>((resolve) => (prepared ? prepared.finalize(() => resolve()) : resolve()));
}
