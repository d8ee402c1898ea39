import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import sql, { type Sql } from 'sql-template-tag';
import { DataSource, type EntityManager } from 'typeorm';
import { isPostgres } from './dialect.js';
import { rowsOf } from './statements.js';

/** PostgreSQL broke off one of two transactions that stood in each other's way: run it again. */
const TRY_AGAIN = new Set(['40001', '40P01']);
const TRIES = 5;

/**
 * The one door for writes. Each `run` is one transaction: all of it is kept, or none. On SQLite all queries share one connection, where
 * a second transaction would silently become part of the first; so there writers take turns.
 */
@Injectable()
export class UnitOfWork {
  /** Ends when the last transaction does that has begun, or waits for its turn. */
  private transactions: Promise<unknown> = Promise.resolve();
  /** Ends when that does, and so do all single statements since. */
  private tail: Promise<unknown> = Promise.resolve();

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in a transaction. Nothing but the database may be awaited inside, and everything in it goes through `manager`: a second
   * `run` inside the first would wait for itself.
   */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return isPostgres ? this.transact(work) : this.inTurn(() => this.transactImmediately(work));
  }

  /** Runs one statement that inserts given values, a transaction by itself, and answers the rows that it returns. */
  single<T>(statement: Sql): Promise<T[]> {
    const run = (): Promise<T[]> => rowsOf<T>(this.dataSource, statement, 'kept');
    return isPostgres ? run() : this.afterTransactions(run);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(work);
    this.tail = this.transactions = turn.catch(() => undefined);
    return turn;
  }

  /** Single statements need not wait for each other: the connection does one after the other by itself. */
  private afterTransactions<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.transactions.then(work);
    this.tail = Promise.allSettled([this.tail, turn]).then(() => undefined);
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
    await rowsOf(manager, sql`BEGIN IMMEDIATE`);
    try {
      const result = await work(manager);
      await rowsOf(manager, sql`COMMIT`);
      return result;
    } catch (error) {
      // A disk that is full, among others, has SQLite roll back by itself: there is nothing left to be undone.
      await rowsOf(manager, sql`ROLLBACK`).catch((failure: Error) => {
        if (!failure.message.includes('no transaction is active')) throw failure;
      });
      throw error;
    }
  }
}
