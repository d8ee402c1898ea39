import { DataSource, type DataSourceOptions } from 'typeorm';
import { ConfigError } from '../config.js';
import { surviveBrokenConnections } from './broken-connections.js';
import { refusalOf } from './refused-connections.js';
import { migrationLockOf } from './sqlite-files.js';
import { forgetPrepared } from './sqlite-statements.js';

/** Any number that no other program takes as its advisory lock on our database. */
const MIGRATION_LOCK = 720_117_001;

/** How long a process waits for another one's migrations to end, in milliseconds. */
const MIGRATION_PATIENCE = 600_000;

/** A data source that can be closed, and opened again, whatever was prepared on it. */
export class ClosableDataSource extends DataSource {
  override async initialize(): Promise<this> {
    await super.initialize();
    // A commit is on the disk before it is acknowledged. NORMAL would let a power cut undo the last ones, and with them the claims
    // of calls that were placed: those people would be called again. Source: https://www.sqlite.org/pragma.html#pragma_synchronous
    if (this.options.type === 'sqlite') await this.query('PRAGMA synchronous = FULL');
    return this;
  }

  override async destroy(): Promise<void> {
    if (this.options.type === 'sqlite') await forgetPrepared(this);
    await super.destroy();
  }
}

/**
 * Connects, and brings the tables up to date. Of several processes that do so at once, one migrates and the others wait for it.
 * @throws ConfigError when no later try can succeed: the server refuses us, we do not trust it, or the database does not suit us
 */
export async function openDatabase(options: DataSourceOptions): Promise<DataSource> {
  const dataSource = await new ClosableDataSource(options).initialize().catch((error: unknown) => {
    throw refusalOf(error) ?? error;
  });
  try {
    if (options.type === 'postgres') {
      surviveBrokenConnections(dataSource);
      await expectUtf8(dataSource);
    }
    await migrate(dataSource);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
}

/** @throws ConfigError when the database cannot keep every text */
async function expectUtf8(dataSource: DataSource): Promise<void> {
  const [{ server_encoding: encoding }] = await dataSource.query('SHOW server_encoding');
  if (encoding === 'UTF8') return;
  throw new ConfigError(`DATABASE_URL must name a database whose encoding is UTF8: its encoding is ${encoding}.`);
}

async function migrate(dataSource: DataSource): Promise<void> {
  const { options } = dataSource;
  if (options.type === 'postgres') {
    const locking = dataSource.createQueryRunner();
    try {
      await locking.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await dataSource.runMigrations({ transaction: 'all' });
      await locking.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    } finally {
      await locking.release();
    }
    return;
  }
  // SQLite has no lock but its file's. A file beside it is locked meanwhile; a process that dies lets go of it.
  const lock = await new DataSource({
    ...(options as DataSourceOptions & { type: 'sqlite' }),
    database: migrationLockOf(options.database as string),
    entities: [],
    migrations: [],
    enableWAL: false,
    busyTimeout: MIGRATION_PATIENCE,
  }).initialize();
  try {
    await lock.query('BEGIN EXCLUSIVE');
    await dataSource.runMigrations({ transaction: 'all' });
    await lock.query('COMMIT');
  } finally {
    await lock.destroy();
  }
}
