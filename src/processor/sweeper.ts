import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BatchOperationRuns } from '../batch-operations/batch-operation-runs.js';
import { Config } from '../config.js';
import { EventRetention } from '../events/event-retention.js';
import { Queue } from '../queue/queue.port.js';
import { Rounds } from './rounds.js';

/** Rows that one look tells of; those beyond are told of by the next. */
const AT_ONCE = 100;

/**
 * Finds rows that need work and that nobody was told of, or that lost their worker, and tells the queue of them. Deletes
 * events that have expired.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Sweeper');
  private readonly rounds: Rounds;

  constructor(
    private readonly runs: BatchOperationRuns,
    private readonly queue: Queue,
    private readonly retention: EventRetention,
    { sweepSeconds }: Config,
  ) {
    this.rounds = new Rounds(() => this.sweep(), sweepSeconds * 1_000);
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.rounds.stop();
  }

  private async sweep(): Promise<void> {
    try {
      for (const id of await this.runs.due(AT_ONCE)) this.queue.tell({ task: 'batch_operation', id });
    } catch (error) {
      this.logger.warn(`Could not look for work: ${(error as Error).message}`);
    }
    try {
      await this.retention.prune();
    } catch (error) {
      this.logger.warn(`Could not delete old events: ${(error as Error).message}`);
    }
  }
}
