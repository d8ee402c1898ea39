import { Semaphore, type SemaphoreInterface, withTimeout } from 'async-mutex';
import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import { rowsOf } from './statements.js';
import { type Origin, Writer } from './writer.js';

/** PostgreSQL broke off one of two transactions that stood in each other's way: run it again. */
const TRY_AGAIN = new Set(['40001', '40P01']);
const TRIES = 5;

/** Writes to PostgreSQL. API clients take a share of the connections only: webhooks and background work always find one. */
export class PostgresWriter extends Writer {
  private readonly apiShare: SemaphoreInterface;

  /**
   * @param apiConnections how many connections API clients use at once, at most
   * @param wait how long an API client waits for one of them, in seconds
   */
  constructor(
    private readonly dataSource: DataSource,
    { apiConnections, wait }: { apiConnections: number; wait: number },
  ) {
    super();
    const tooLate = new Error('timeout exceeded when trying to connect: API clients use all of their connections');
    this.apiShare = withTimeout(new Semaphore(apiConnections), wait * 1_000, tooLate);
  }

  transaction<T>(work: (manager: EntityManager) => Promise<T>, origin: Origin): Promise<T> {
    return this.within(origin, () => this.transact(work));
  }

  statement<T>(statement: Sql, origin: Origin): Promise<T[]> {
    return this.within(origin, () => rowsOf<T>(this.dataSource, statement, 'kept'));
  }

  private within<T>(origin: Origin, work: () => Promise<T>): Promise<T> {
    return origin === 'api' ? this.apiShare.runExclusive(work) : work();
  }

  private async transact<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.dataSource.transaction(work);
      } catch (error) {
        if (attempt === TRIES || !TRY_AGAIN.has((error as { code?: string }).code ?? '')) throw error;
      }
    }
  }
}
