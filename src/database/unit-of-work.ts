import { Injectable } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { Work } from './open-transaction.js';
import { type Origin, Writer } from './writer.js';

/**
 * The one door for writes that clients of the API ask for. Each `run` is one transaction: all of it is committed, or none.
 * Clients have a share of the database's connections only, so that a crowd of them cannot hold up webhooks and
 * background work, which use {@link BackgroundUnitOfWork}.
 */
@Injectable()
export class UnitOfWork {
  protected readonly origin: Origin = 'api';

  constructor(private readonly writer: Writer) {}

  /**
   * Runs `work` in a transaction. A run inside another run joins its transaction, also when the two are of different
   * units of work. Everything is committed together, at the end of the outermost run; if any run fails, everything is
   * rolled back, even if the error of an inner run is caught.
   *
   * Only the database may be awaited inside. PostgreSQL runs `work` again after a conflict with another transaction.
   * A run that starts after its outer run has ended begins a transaction of its own.
   * @throws the error of `work`, or else of the first inner run that failed
   */
  run<T>(work: Work<T>): Promise<T> {
    return this.writer.transaction(work, this.origin);
  }

  /**
   * Runs one statement that inserts given values and returns its rows: a transaction by itself, or a part of the
   * transaction of the run around it.
   */
  single<T>(statement: Sql): Promise<T[]> {
    return this.writer.statement<T>(statement, this.origin);
  }
}

/**
 * The one door for the writes of webhooks and background work: they find a connection whatever clients of the API do.
 */
@Injectable()
export class BackgroundUnitOfWork extends UnitOfWork {
  protected override readonly origin = 'background';
}
