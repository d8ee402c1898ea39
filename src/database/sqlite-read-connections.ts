import type { OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/database.js';
import { readingDataSourceOptions } from './data-source-options.js';
import { ClosableDataSource } from './open-database.js';
import { SqlitePool } from './sqlite-pool.js';

/**
 * How many connections the lists of API clients have. A long statement occupies one of the four threads that Node.js
 * has for files and databases: one is left for background reads, and one for the writer and for rows by key.
 */
const LIST_CONNECTIONS = 2;

/** The read-only connections of this process to the SQLite file. */
export class SqliteReadConnections implements OnApplicationShutdown {
  private constructor(
    /** For rows by key. Its statements are short, so it runs any number of them at the same time. */
    readonly byKey: DataSource,
    /** For the lists of API clients. */
    readonly lists: SqlitePool,
    /** For webhooks, health checks and background work. */
    readonly background: SqlitePool,
  ) {}

  /** Opens the connections. The file must exist. */
  static async open(database: DatabaseConfig & { kind: 'sqlite' }): Promise<SqliteReadConnections> {
    const connect = async () => {
      const dataSource = await new ClosableDataSource(readingDataSourceOptions(database)).initialize();
      await dataSource.query('PRAGMA query_only = ON');
      return dataSource;
    };
    return new SqliteReadConnections(
      await connect(),
      await SqlitePool.open(LIST_CONNECTIONS, connect),
      await SqlitePool.open(1, connect),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.byKey.destroy();
    await this.lists.close();
    await this.background.close();
  }
}
