import { DataSource, type DataSourceOptions } from 'typeorm';
import { surviveBrokenConnections } from './broken-connections.js';
import { forgetPrepared } from './sqlite-statements.js';

/** Any number that no other program takes as its advisory lock on our database. */
const MIGRATION_LOCK = 720_117_001;

/** How long a process waits for another one's migrations to end, in milliseconds. */
const MIGRATION_PATIENCE = 600_000;

/** A data source whose end is not held up by the statements that were prepared on it. */
export class ClosableDataSource extends DataSource {
  override async destroy(): Promise<void> {
    if (this.options.type === 'sqlite') await forgetPrepared(this);
    await super.destroy();
  }
}

/** Connects, and brings the tables up to date. Of several processes that do so at once, one migrates and the others wait for it. */
export async function openDatabase(options: DataSourceOptions): Promise<DataSource> {
  const dataSource = await new ClosableDataSource(options).initialize();
  try {
    if (options.type === 'postgres') surviveBrokenConnections(dataSource);
    if (options.type === 'sqlite') await dataSource.query('PRAGMA synchronous = NORMAL');
    await migrate(dataSource);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
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
    database: `${options.database as string}-migration-lock`,
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
