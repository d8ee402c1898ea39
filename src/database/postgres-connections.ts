import type { OnApplicationShutdown } from '@nestjs/common';
import { Semaphore, type SemaphoreInterface, withTimeout } from 'async-mutex';
import { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { surviveBrokenConnections } from './broken-connections.js';
import { dataSourceOptions } from './data-source-options.js';
import { poolShares } from './pool-shares.js';
import type { Origin } from './writer.js';

/**
 * The connections of this process to PostgreSQL. Clients of the API have shares of them: webhooks and background work
 * always find one.
 */
export class PostgresConnections implements OnApplicationShutdown {
  private constructor(
    /** For the lists of clients. */
    readonly lists: DataSource,
    /** For everything else. */
    readonly main: DataSource,
    private readonly apiShare: SemaphoreInterface,
  ) {}

  static async open(main: DataSource, config: Config): Promise<PostgresConnections> {
    const { database, databasePool, databaseWait: wait, answersApi, readTimeout } = config;
    const { reading, apiWriting } = poolShares(databasePool, answersApi);
    const lists = new DataSource(dataSourceOptions(database, { pool: reading, wait, statementTimeout: readTimeout }));
    if (answersApi) {
      await lists.initialize();
      surviveBrokenConnections(lists);
    }
    const tooLate = new Error('timeout exceeded when trying to connect: API clients use all of their connections');
    return new PostgresConnections(lists, main, withTimeout(new Semaphore(apiWriting), wait * 1_000, tooLate));
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.lists.isInitialized) await this.lists.destroy();
  }

  /** Runs short work on the main connections; that of an API client once its share of them has room. */
  within<T>(origin: Origin, work: () => Promise<T>): Promise<T> {
    return origin === 'api' ? this.apiShare.runExclusive(work) : work();
  }
}
