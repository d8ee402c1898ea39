import type { OnApplicationShutdown } from '@nestjs/common';
import { Semaphore, type SemaphoreInterface, withTimeout } from 'async-mutex';
import { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { ignoreConnectionErrors } from './connection-error-listener.js';
import { dataSourceOptions } from './data-source-options.js';
import { poolShares } from './pool-shares.js';
import type { Origin } from './writer.js';

/**
 * The connections of this process to PostgreSQL. API clients can use only a part of them, so that webhooks and
 * background work always find one.
 */
export class PostgresConnections implements OnApplicationShutdown {
  private constructor(
    /** Connections for the lists of API clients. */
    readonly lists: DataSource,
    /** Connections for everything else. */
    readonly main: DataSource,
    private readonly apiShare: SemaphoreInterface,
  ) {}

  /**
   * @param main the data source that is already open
   * @throws Error of the driver, when the server cannot be reached
   */
  static async open(main: DataSource, config: Config): Promise<PostgresConnections> {
    const { database, databasePool, databaseWait: wait, servesApi, readTimeout } = config;
    const shares = poolShares(databasePool, servesApi);
    const lists = new DataSource(
      dataSourceOptions(database, { pool: shares.lists, wait, statementTimeout: readTimeout }),
    );
    if (servesApi) {
      await lists.initialize();
      ignoreConnectionErrors(lists);
    }
    const timeout = new Error('timeout exceeded when trying to connect: API clients use all of their connections');
    return new PostgresConnections(lists, main, withTimeout(new Semaphore(shares.apiLimit), wait * 1_000, timeout));
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.lists.isInitialized) await this.lists.destroy();
  }

  /**
   * Runs short work on the main connections. The work of an API client waits while API clients use all of their share.
   *
   * @throws Error that counts as an unavailable database, when that takes longer than `DATABASE_WAIT`
   */
  run<T>(origin: Origin, work: () => Promise<T>): Promise<T> {
    return origin === 'api' ? this.apiShare.runExclusive(work) : work();
  }
}
