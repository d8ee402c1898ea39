import { DataSource, type DataSourceOptions } from 'typeorm';
import { ConfigError } from '../errors/config-error.js';
import { surviveBrokenConnections } from './broken-connections.js';
import { migrate } from './migrate.js';
import { refusalOf, unavailabilityOf } from './refused-connections.js';
import { forgetPrepared } from './sqlite-statements.js';

/** A data source that can be closed, and opened again, whatever was prepared on it. */
export class ClosableDataSource extends DataSource {
  override async initialize(): Promise<this> {
    await super.initialize();
    // A commit is on the disk before it is acknowledged. NORMAL would let a power cut undo the last ones, and with them
    // the claims of calls that were placed: those people would be called again. Source:
    // https://www.sqlite.org/pragma.html#pragma_synchronous
    if (this.options.type === 'sqlite') await this.query('PRAGMA synchronous = FULL');
    return this;
  }

  override async destroy(): Promise<void> {
    if (this.options.type === 'sqlite') await forgetPrepared(this);
    await super.destroy();
  }
}

/**
 * Connects, and brings the tables up to date. Of several processes that do so at once, one migrates and the others wait
 * for it.
 * @param log receives a message before each step that can take long
 * @throws DatabaseUnavailable when PostgreSQL cannot be used now
 * @throws ConfigError when no later try can succeed: the server refuses us, we do not trust it, or the database does
 *   not suit us
 */
export async function openDatabase(options: DataSourceOptions, log: (message: string) => void): Promise<DataSource> {
  try {
    return await openAndMigrate(options, log);
  } catch (error) {
    if (options.type !== 'postgres' || error instanceof ConfigError) throw error;
    throw refusalOf(error) ?? unavailabilityOf(error) ?? error;
  }
}

async function openAndMigrate(options: DataSourceOptions, log: (message: string) => void): Promise<DataSource> {
  const dataSource = await new ClosableDataSource(options).initialize();
  try {
    if (options.type === 'postgres') {
      surviveBrokenConnections(dataSource);
      await expectUtf8(dataSource);
    }
    await migrate(dataSource, log);
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
