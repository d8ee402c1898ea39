import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import sql from 'sql-template-tag';
import { Config } from '../config/config.js';
import { lockClause, secondsFromNow } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { PollingLoop } from '../jobs/polling-loop.js';

/** The most events that one transaction deletes. */
const CHUNK = 5_000;

const SECONDS_PER_DAY = 86_400;

/** Deletes events that are older than `EVENTS_KEPT_DAYS`, by the database clock. */
@Injectable()
export class EventRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('EventRetention');
  private readonly loop: PollingLoop;

  constructor(
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly config: Config,
  ) {
    this.loop = new PollingLoop(
      () => this.prune(),
      config.sweepSeconds * 1_000,
      ({ message }) => this.logger.warn(`Could not delete old events: ${message}`),
    );
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  /** Deletes the oldest expired events, up to the size of a chunk. */
  private async prune(): Promise<void> {
    const hasExpired = sql`created_at < ${secondsFromNow(-this.config.eventsKeptDays * SECONDS_PER_DAY)}`;
    // Ids ascend with time, so the first row decides whether there is anything to delete.
    const oldest = sql`SELECT id, created_at FROM events ORDER BY id LIMIT 1`;
    const expired = await this.reader.row(sql`SELECT id FROM (${oldest}) AS oldest WHERE ${hasExpired}`);
    if (!expired) return;
    // Another worker may be deleting the same rows.
    const chunk = sql`SELECT id, created_at FROM events ORDER BY id LIMIT ${CHUNK}
      ${lockClause('FOR UPDATE SKIP LOCKED')}`;
    await this.unitOfWork.run((transaction) =>
      transaction.execute(sql`DELETE FROM events WHERE id IN (SELECT id FROM (${chunk}) AS chunk WHERE ${hasExpired})`),
    );
  }
}
