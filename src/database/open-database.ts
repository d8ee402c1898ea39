import { DataSource, type DataSourceOptions } from 'typeorm';
import { ConfigError } from '../errors/config-error.js';
import { ignoreConnectionErrors } from './connection-error-listener.js';
import { migrate } from './migrate.js';
import { toRefusalError, toUnavailableError } from './connection-refusals.js';
import { finalizeStatements } from './sqlite-statements.js';

/** A data source that finalizes its prepared statements when it is closed, and that can be opened again. */
export class ClosableDataSource extends DataSource {
  override async initialize(): Promise<this> {
    await super.initialize();
    // A commit is on the disk before it is acknowledged. With NORMAL, a power cut could undo the last commits, and with
    // them the claims of calls that were placed: those people would be called again.
    // Source: https://www.sqlite.org/pragma.html#pragma_synchronous
    if (this.options.type === 'sqlite') await this.query('PRAGMA synchronous = FULL');
    return this;
  }

  override async destroy(): Promise<void> {
    if (this.options.type === 'sqlite') await finalizeStatements(this);
    await super.destroy();
  }
}

/**
 * Connects, and runs the pending migrations. If several processes start at the same time, one of them migrates and the
 * others wait.
 *
 * @param log receives a message before each step that can take long
 * @throws DatabaseUnavailable when PostgreSQL cannot be used now
 * @throws ConfigError when no later try can succeed: the server refuses the connection or cannot be trusted, or the
 *   program cannot use the database
 */
export async function openDatabase(options: DataSourceOptions, log: (message: string) => void): Promise<DataSource> {
  try {
    return await openAndMigrate(options, log);
  } catch (error) {
    if (options.type !== 'postgres' || error instanceof ConfigError) throw error;
    throw toRefusalError(error) ?? toUnavailableError(error) ?? error;
  }
}

async function openAndMigrate(options: DataSourceOptions, log: (message: string) => void): Promise<DataSource> {
  const dataSource = await new ClosableDataSource(options).initialize();
  try {
    if (options.type === 'postgres') {
      ignoreConnectionErrors(dataSource);
      await assertUtf8(dataSource);
    }
    await migrate(dataSource, log);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
}

/** @throws ConfigError when the database cannot store every text */
async function assertUtf8(dataSource: DataSource): Promise<void> {
  const [{ server_encoding: encoding }] = await dataSource.query('SHOW server_encoding');
  if (encoding === 'UTF8') return;
  throw new ConfigError(`DATABASE_URL must name a database whose encoding is UTF8: its encoding is ${encoding}.`);
}
