import { Injectable } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { TransactionWork } from './open-transaction.js';
import { type Origin, Writer } from './writer.js';

/**
 * Runs the writes of API clients. Each `run` is one transaction: all of it is committed, or none. API clients use only
 * a part of the connections to the database, so that they do not delay webhooks and background work, which use {@link
 * BackgroundUnitOfWork}.
 */
@Injectable()
export class UnitOfWork {
  protected readonly origin: Origin = 'api';

  constructor(protected readonly writer: Writer) {}

  /**
   * Runs `work` in a transaction. A run inside another run joins its transaction, even if it belongs to another unit of
   * work. Everything is committed together, at the end of the outermost run; if any run fails, everything is rolled
   * back, even if the error of an inner run is caught.
   *
   * Only the database may be awaited inside. PostgreSQL runs `work` again after a conflict with another transaction. A
   * run that starts after its outer run has ended begins a transaction of its own.
   *
   * @returns the result of `work`, after the commit of the outermost run
   * @throws the error of `work`, or else of the first inner run that failed
   */
  run<T>(work: TransactionWork<T>): Promise<T> {
    return this.writer.transaction(work, this.origin);
  }

  /**
   * Runs one statement that inserts given values, in the transaction of the run around it, or else in a transaction of
   * its own. The statement is prepared.
   *
   * @returns its rows
   */
  query<T>(statement: Sql): Promise<T[]> {
    return this.writer.query<T>(statement, this.origin);
  }
}

/** Runs the writes of webhooks and background work. They find a connection even if API clients use all of theirs. */
@Injectable()
export class BackgroundUnitOfWork extends UnitOfWork {
  protected override readonly origin = 'background';

  /**
   * Like {@link run}, for short work that is often repeated. On SQLite, such work that waits at the same time shares a
   * transaction, because the disk must confirm each commit. If one of them fails, each runs again in a transaction of
   * its own, so `work` may run twice there, too.
   */
  runShared<T>(work: TransactionWork<T>): Promise<T> {
    return this.writer.sharedTransaction(work, this.origin);
  }
}
