import { Injectable } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { type Origin, Writer } from './writer.js';

/**
 * The one door for writes that clients of the API ask for. Each `run` is one transaction: all of it is kept, or none.
 * Clients have a share of the database's connections only, so that a crowd of them cannot hold up webhooks and
 * background work, which use {@link BackgroundUnitOfWork}.
 */
@Injectable()
export class UnitOfWork {
  protected readonly origin: Origin = 'api';

  constructor(private readonly writer: Writer) {}

  /**
   * Runs `work` in a transaction. Nothing but the database may be awaited inside, and matchAll in it goes through `manager`: a second
   * `run` inside the first would wait for itself.
   */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.writer.transaction(work, this.origin);
  }

  /** Runs one statement that inserts given values, a transaction by itself, and answers the rows that it returns. */
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
