import type { EntityManager } from 'typeorm';
import { Transaction } from './transaction.js';

/** The content of a transaction, for the writer of one database. */
export type ManagerWork<T> = (manager: EntityManager) => Promise<T>;

/** The content of a transaction. */
export type TransactionWork<T> = (transaction: Transaction) => Promise<T>;

/**
 * A transaction that has begun and has not ended: the run that began it, and the runs that joined it. It ends once all
 * of them have ended. If one of them fails, the transaction must be rolled back, whether or not its caller catches the
 * error: no statement of a failed run may be committed.
 */
export class OpenTransaction {
  private readonly runs = new Set<Promise<unknown>>();
  private failure?: { error: unknown };
  private hasEnded = false;
  private readonly transaction: Transaction;

  constructor(manager: EntityManager) {
    this.transaction = new Transaction(manager);
  }

  /** Whether a run may still join. */
  get isOpen(): boolean {
    return !this.hasEnded;
  }

  /**
   * Runs the work that began the transaction, and waits for the runs that joined it.
   * @throws the error of the work, or else of the first run that failed
   */
  async complete<T>(work: TransactionWork<T>): Promise<T> {
    const result = this.run(work);
    while (this.runs.size > 0) await Promise.allSettled(this.runs);
    this.hasEnded = true;
    const value = await result;
    if (this.failure) throw this.failure.error;
    return value;
  }

  /**
   * Runs work in this transaction.
   * @throws the error of the work; after a failure, that failure, because nothing can be committed any more
   */
  run<T>(work: TransactionWork<T>): Promise<T> {
    const run = this.start(work);
    const forget = () => this.runs.delete(run);
    this.runs.add(run);
    run.then(forget, forget);
    return run;
  }

  private async start<T>(work: TransactionWork<T>): Promise<T> {
    if (this.failure) throw this.failure.error;
    try {
      return await work(this.transaction);
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }
}
