import type { ClientBase } from 'pg';
import sqlite3 from 'sqlite3';
import type { DataSourceOptions } from 'typeorm';
import type { DatabaseConfig } from '../config/database.js';
import { migrations } from './migrations/index.js';
import { configureSession } from './session-settings.js';
import { secureSqliteFiles } from './sqlite-files.js';

/** How long a statement waits while another process writes the same SQLite file (ms). */
const BUSY_TIMEOUT = 10_000;

/**
 * How long a transaction may be idle before PostgreSQL ends it (ms). The process that began it hangs, and others wait
 * for its locks.
 */
const IDLE_TRANSACTION_TIMEOUT = 10_000;

/** The driver without its `verbose` mode, which TypeORM turns on. In that mode, each query creates a stack trace. */
const driver = { ...sqlite3, verbose: () => sqlite3 };

/**
 * The options of a connection to PostgreSQL or to a SQLite file, with our migrations and without entities. The program,
 * TypeORM's command line and the tests all connect with them. No other file imports the SQLite driver (docs/adr/0001).
 *
 * @param options.pool the most connections to PostgreSQL
 * @param options.wait how long to wait for a connection to PostgreSQL (s)
 * @param options.statementTimeout how long a statement on PostgreSQL may take (s); 0: no limit
 */
export function dataSourceOptions(
  database: DatabaseConfig,
  { pool = 10, wait = 10, statementTimeout = 0 } = {},
): DataSourceOptions {
  const shared = {
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each' as const,
    synchronize: false,
  };
  if (database.kind === 'postgres') {
    return {
      ...shared,
      type: 'postgres',
      url: database.url,
      ssl: database.ssl,
      parseInt8: true,
      poolSize: pool,
      applicationName: 'scfm',
      // Limits both waits: for the server to accept a new connection, and for a free connection of the pool.
      connectTimeoutMS: wait * 1_000,
      extra: {
        onConnect: (connection: ClientBase) =>
          configureSession(
            connection,
            {
              idle_in_transaction_session_timeout: String(IDLE_TRANSACTION_TIMEOUT),
              statement_timeout: String(statementTimeout * 1_000),
            },
            wait,
          ),
      },
    };
  }
  return { ...shared, ...sqliteFile(database.path) };
}

/**
 * The options of another connection to the same SQLite file, for reading. In WAL mode it does not wait for the
 * connection that writes, and does not see what that connection has not committed.
 */
export function readingDataSourceOptions(database: DatabaseConfig & { kind: 'sqlite' }): DataSourceOptions {
  return sqliteFile(database.path);
}

function sqliteFile(path: string) {
  secureSqliteFiles(path);
  return { type: 'sqlite', driver, database: path, enableWAL: true, busyTimeout: BUSY_TIMEOUT } as const;
}
