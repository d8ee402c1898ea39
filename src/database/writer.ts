import { AsyncLocalStorage } from 'node:async_hooks';
import type { Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { type ManagerWork, OpenTransaction, type TransactionWork } from './open-transaction.js';

/**
 * The origin of a read or write: an API client, or work that API clients must not delay (webhooks, background work).
 */
export type Origin = 'api' | 'background';

/** Runs the writes to one kind of database. */
export abstract class Writer {
  private readonly ambient = new AsyncLocalStorage<OpenTransaction>();
  private openTransactions = 0;

  /** Runs `work` in the transaction of the caller, or in one of its own if the caller has none. */
  transaction<T>(work: TransactionWork<T>, origin: Origin): Promise<T> {
    return this.join(work) ?? this.begin((manager) => this.open(manager, work), origin);
  }

  /** Like {@link transaction}, but the work may share its transaction with other such work that waits. */
  sharedTransaction<T>(work: TransactionWork<T>, origin: Origin): Promise<T> {
    return this.join(work) ?? this.beginShared((manager) => this.open(manager, work), origin);
  }

  /**
   * Runs one statement, in the transaction of the caller or else in one of its own.
   *
   * @returns its rows, after the commit of its own transaction
   */
  query<T>(statement: Sql, origin: Origin): Promise<T[]> {
    const joined = this.join((transaction) => transaction.query<T>(statement, { prepared: true }));
    return joined ?? this.runAlone<T>(statement, origin);
  }

  /** Runs `work` in a new transaction, and commits it. If `work` fails, the transaction is rolled back. */
  protected abstract begin<T>(work: ManagerWork<T>, origin: Origin): Promise<T>;

  /** Runs `work` like {@link begin}. A writer may run other such work in the same transaction. */
  protected beginShared<T>(work: ManagerWork<T>, origin: Origin): Promise<T> {
    return this.begin(work, origin);
  }

  /** Runs one statement in a transaction of its own. */
  protected abstract runAlone<T>(statement: Sql, origin: Origin): Promise<T[]>;

  /** Runs `work` in the transaction of the caller. @returns undefined if the caller has none */
  private join<T>(work: TransactionWork<T>): Promise<T> | undefined {
    const open = this.ambient.getStore();
    return open?.isOpen ? open.run(work) : undefined;
  }

  private async open<T>(manager: EntityManager, work: TransactionWork<T>): Promise<T> {
    const open = new OpenTransaction(manager);
    this.openTransactions++;
    try {
      return await this.ambient.run(open, () => open.complete(work));
    } finally {
      // Node.js 20 and 22 track every promise of the process while a storage is enabled: lists would be slower.
      if (--this.openTransactions === 0) this.ambient.disable();
    }
  }
}
