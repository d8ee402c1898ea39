import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { isPostgres } from './dialect.js';

/** PostgreSQL broke off one of two transactions that stood in each other's way: run it again. */
const TRY_AGAIN = new Set(['40001', '40P01']);
const TRIES = 5;

/**
 * The one door for writes. Each `run` is one transaction: all of it is kept, or none. On SQLite all queries share one connection, where
 * a second transaction would silently become part of the first; so there writers take turns.
 */
@Injectable()
export class UnitOfWork {
  private tail: Promise<unknown> = Promise.resolve();

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in a transaction. Nothing but the database may be awaited inside, and everything in it goes through `manager`: a second
   * `run` inside the first would wait for itself.
   */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (isPostgres) return this.transact(work);
    const turn = this.tail.then(() => this.transactImmediately(work));
    this.tail = turn.catch(() => undefined);
    return turn;
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

  /** Takes SQLite's write lock at once, so that another process's write cannot come between our reading and our writing. */
  private async transactImmediately<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const { manager } = this.dataSource;
    await manager.query('BEGIN IMMEDIATE');
    try {
      const result = await work(manager);
      await manager.query('COMMIT');
      return result;
    } catch (error) {
      await manager.query('ROLLBACK');
      throw error;
    }
  }
}
