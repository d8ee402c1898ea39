import type { ClientBase } from 'pg';
import sqlite3 from 'sqlite3';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { BatchOperation } from './src/batch-operations/batch-operation.entity.js';
import { CalloutParticipation } from './src/callout-participations/callout-participation.entity.js';
import { Callout } from './src/callouts/callout.entity.js';
import { type DatabaseConfig, readDatabase } from './src/config.js';
import { Contact } from './src/contacts/contact.entity.js';
import { migrations } from './src/database/migrations/index.js';
import { setUpSession } from './src/database/session-settings.js';
import { secureSqliteFiles } from './src/database/sqlite-files.js';
import { Event } from './src/events/event.entity.js';
import { PaceRow } from './src/pace/pace.entity.js';
import { PhoneCall } from './src/phone-calls/phone-call.entity.js';
import { RemotePhoneCallEvent } from './src/remote-phone-call-events/remote-phone-call-event.entity.js';
import { Setting } from './src/settings/setting.entity.js';

/** How long a statement waits for another process that writes the same SQLite file, in milliseconds. */
const BUSY_TIMEOUT = 10_000;

/**
 * A transaction of ours in which nothing happens for so long belongs to a process that hangs, in milliseconds: PostgreSQL breaks it off, so
 * that others need not wait for its locks.
 */
const STALLED_AFTER = 10_000;

/** The driver without its `verbose` mode, in which TypeORM would put it: there, each query makes a stack trace. */
const quiet = { ...sqlite3, verbose: () => sqlite3 };

/**
 * THE data source: PostgreSQL or a SQLite file, with our entities and migrations. The application, TypeORM's command line
 * and the tests all start from here; no other file knows the SQLite driver (docs/adr/0001).
 * @param wait for a connection to PostgreSQL, in seconds; after that whoever wanted one gets an error
 * @param statementTimeout after so many seconds PostgreSQL ends a statement; 0: never
 */
export function dataSourceOptions(
  database: DatabaseConfig,
  { pool = 10, wait = 10, statementTimeout = 0 } = {},
): DataSourceOptions {
  const shared = {
    entities: [
      Contact,
      Callout,
      CalloutParticipation,
      BatchOperation,
      PhoneCall,
      RemotePhoneCallEvent,
      PaceRow,
      Setting,
      Event,
    ],
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
      // The pool's patience too: for the server to take a new connection, or for another to be given back.
      connectTimeoutMS: wait * 1_000,
      extra: {
        onConnect: (connection: ClientBase) =>
          setUpSession(
            connection,
            {
              idle_in_transaction_session_timeout: String(STALLED_AFTER),
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
 * A second connection to the same SQLite file, which can only read. In WAL mode it neither waits for the writing connection nor
 * sees what that has not committed.
 */
export function readingDataSourceOptions(database: DatabaseConfig & { kind: 'sqlite' }): DataSourceOptions {
  return sqliteFile(database.path);
}

function sqliteFile(path: string) {
  secureSqliteFiles(path);
  return { type: 'sqlite', driver: quiet, database: path, enableWAL: true, busyTimeout: BUSY_TIMEOUT } as const;
}

export default new DataSource(dataSourceOptions(readDatabase(process.env)));
