import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { ConfigError } from '../errors/config-error.js';
import { createMigrationLock } from './sqlite-files.js';

/** The key of the advisory lock. Any number will do that no other program uses in the same database. */
const MIGRATION_LOCK = 720_117_001;

/** How often a process tries to get the lock that another process holds (ms). */
const POLL_INTERVAL = 250;

/** How long a process waits while another process migrates the same SQLite file (ms). */
const SQLITE_LOCK_TIMEOUT = 600_000;

/**
 * Runs the pending migrations. If several processes start at the same time, one of them migrates and the others wait.
 * Each migration runs in a transaction of its own, unless it sets `transaction = false`.
 *
 * @param log receives a message before each step that can take long
 * @throws ConfigError when a newer version of the program has migrated this database
 */
export async function migrate(dataSource: DataSource, log: (message: string) => void): Promise<void> {
  const run = async (): Promise<void> => {
    const pending = await pendingMigrations(dataSource);
    if (pending.length === 0) return;
    log(`Bringing the tables up to date: ${pending.length} migrations`);
    await dataSource.runMigrations({ transaction: 'each' });
  };
  if (dataSource.options.type === 'postgres') await withPostgresLock(dataSource, run, log);
  else await withSqliteLock(dataSource.options as DataSourceOptions & { type: 'sqlite' }, run);
}

/**
 * @returns the names of the pending migrations
 * @throws ConfigError when the database has a migration that this program does not have
 */
async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  const known = dataSource.migrations.map(({ name }) => name!);
  const queryRunner = dataSource.createQueryRunner();
  try {
    if (!(await queryRunner.hasTable('migrations'))) return known;
    const rows = (await queryRunner.query('SELECT name FROM migrations ORDER BY id')) as { name: string }[];
    const executed = rows.map(({ name }) => name);
    const unknown = executed.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
      throw new ConfigError(
        `DATABASE_URL names a database that a newer version of this program has migrated (${unknown.join(', ')}): ` +
          'run that version, or restore the backup that was made before the upgrade.',
      );
    }
    return known.filter((name) => !executed.includes(name));
  } finally {
    await queryRunner.release();
  }
}

/**
 * Runs `run` under an advisory lock. It polls `pg_try_advisory_lock`, because a session that waits in
 * `pg_advisory_lock` keeps a snapshot: `CREATE INDEX CONCURRENTLY` in the process that holds the lock waits for that
 * snapshot, and both processes wait forever.
 */
async function withPostgresLock(
  dataSource: DataSource,
  run: () => Promise<void>,
  log: (message: string) => void,
): Promise<void> {
  const lockRunner = dataSource.createQueryRunner();
  try {
    const lock = async (): Promise<boolean> => {
      const [row] = await lockRunner.query('SELECT pg_try_advisory_lock($1) AS locked', [MIGRATION_LOCK]);
      return (row as { locked: boolean }).locked;
    };
    let isLocked = await lock();
    if (!isLocked) log('Waiting for another process that brings the tables up to date');
    while (!isLocked) {
      await sleep(POLL_INTERVAL);
      isLocked = await lock();
    }
    try {
      await run();
    } finally {
      await lockRunner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await lockRunner.release();
  }
}

/** Runs `run` while a file beside the database is locked. The lock ends when its process ends. */
async function withSqliteLock(
  options: DataSourceOptions & { type: 'sqlite' },
  run: () => Promise<void>,
): Promise<void> {
  const lock = await new DataSource({
    ...options,
    database: createMigrationLock(options.database),
    entities: [],
    migrations: [],
    enableWAL: false,
    busyTimeout: SQLITE_LOCK_TIMEOUT,
  }).initialize();
  try {
    await lock.query('BEGIN EXCLUSIVE');
    await run();
    await lock.query('COMMIT');
  } finally {
    await lock.destroy();
  }
}
