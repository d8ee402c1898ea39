import type { OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/database.js';
import { readingDataSourceOptions } from './data-source-options.js';
import { ClosableDataSource } from './open-database.js';
import { SqliteConnections } from './sqlite-connections.js';

/**
 * Connections for the lists of API clients. Each long statement occupies one of the four threads that Node has for all
 * files and databases: one is left for the background's reads, and one for the writer and for rows by their keys.
 */
const LISTS = 2;

/** The connections of this process that only read the SQLite file. */
export class SqliteReadConnections implements OnApplicationShutdown {
  private constructor(
    /** Takes any number of statements at once, each of which is over in a moment. */
    readonly byKey: DataSource,
    readonly lists: SqliteConnections,
    readonly background: SqliteConnections,
  ) {}

  static async open(database: DatabaseConfig & { kind: 'sqlite' }): Promise<SqliteReadConnections> {
    const connect = async () => {
      const dataSource = await new ClosableDataSource(readingDataSourceOptions(database)).initialize();
      await dataSource.query('PRAGMA query_only = ON');
      return dataSource;
    };
    return new SqliteReadConnections(
      await connect(),
      await SqliteConnections.open(LISTS, connect),
      await SqliteConnections.open(1, connect),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.byKey.destroy();
    await this.lists.close();
    await this.background.close();
  }
}
