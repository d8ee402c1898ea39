import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { ConfigError } from '../errors/config-error.js';
import { migrationLockOf } from './sqlite-files.js';

/** Any number that no other program takes as its advisory lock on our database. */
const MIGRATION_LOCK = 720_117_001;

/** How often a process asks whether another one's migrations have ended, in milliseconds. */
const POLL_INTERVAL = 250;

/** How long a process waits for another one's migrations of the same SQLite file, in milliseconds. */
const SQLITE_PATIENCE = 600_000;

/**
 * Brings the tables up to date. Of several processes that do so at once, one migrates and the others wait for it. Each
 * migration is a transaction of its own, unless it says otherwise.
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
  if (dataSource.options.type === 'postgres') await whileLockedOnPostgres(dataSource, run, log);
  else await whileLockedBesideSqlite(dataSource.options as DataSourceOptions & { type: 'sqlite' }, run);
}

/**
 * The names of the pending migrations.
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
 * Runs `run` while it holds an advisory lock. It polls `pg_try_advisory_lock`, because a session that waits in
 * `pg_advisory_lock` keeps a snapshot: `CREATE INDEX CONCURRENTLY` in the process that holds the lock waits for that
 * snapshot, and both processes wait for ever.
 */
async function whileLockedOnPostgres(
  dataSource: DataSource,
  run: () => Promise<void>,
  log: (message: string) => void,
): Promise<void> {
  const locking = dataSource.createQueryRunner();
  try {
    const lock = async (): Promise<boolean> => {
      const [row] = await locking.query('SELECT pg_try_advisory_lock($1) AS locked', [MIGRATION_LOCK]);
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
      await locking.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await locking.release();
  }
}

/** Runs `run` while it locks a file beside the database. The lock ends with the process that holds it. */
async function whileLockedBesideSqlite(
  options: DataSourceOptions & { type: 'sqlite' },
  run: () => Promise<void>,
): Promise<void> {
  const lock = await new DataSource({
    ...options,
    database: migrationLockOf(options.database),
    entities: [],
    migrations: [],
    enableWAL: false,
    busyTimeout: SQLITE_PATIENCE,
  }).initialize();
  try {
    await lock.query('BEGIN EXCLUSIVE');
    await run();
    await lock.query('COMMIT');
  } finally {
    await lock.destroy();
  }
}
