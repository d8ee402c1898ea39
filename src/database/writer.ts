import { AsyncLocalStorage } from 'node:async_hooks';
import type { Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { type DatabaseWork, OpenTransaction, type Work } from './open-transaction.js';

/**
 * For whom a write is made: a client of the API, or what must go on whatever clients do (webhooks, background work).
 */
export type Origin = 'api' | 'background';

/** Runs the writes of one kind of database. */
export abstract class Writer {
  private readonly ambient = new AsyncLocalStorage<OpenTransaction>();
  private openTransactions = 0;

  /** Runs `work` in the transaction of the caller, or in one of its own if the caller has none. */
  transaction<T>(work: Work<T>, origin: Origin): Promise<T> {
    const open = this.current();
    return open ? open.run(work) : this.begin((manager) => this.open(manager, work), origin);
  }

  /**
   * Runs one statement and returns its rows: in the transaction of the caller, or else in one of its own, once that is
   * committed.
   */
  statement<T>(statement: Sql, origin: Origin): Promise<T[]> {
    const open = this.current();
    return open
      ? open.run((transaction) => transaction.query<T>(statement, { prepared: true }))
      : this.commit<T>(statement, origin);
  }

  /** Begins a transaction, runs `work` in it, and commits it; if `work` fails, rolls it back. */
  protected abstract begin<T>(work: DatabaseWork<T>, origin: Origin): Promise<T>;

  /** Runs one statement in a transaction of its own. */
  protected abstract commit<T>(statement: Sql, origin: Origin): Promise<T[]>;

  private current(): OpenTransaction | undefined {
    const open = this.ambient.getStore();
    return open?.isOpen ? open : undefined;
  }

  private async open<T>(manager: EntityManager, work: Work<T>): Promise<T> {
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
