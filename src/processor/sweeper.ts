import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BatchOperationRuns } from '../batch-operations/batch-operation-runs.js';
import { Config } from '../config.js';
import { Queue } from '../queue/queue.port.js';

/** Rows that one look tells of; those beyond are told of by the next. */
const AT_ONCE = 100;

/** Finds rows that need work and that nobody was told of, or that lost their worker, and tells the queue of them. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Sweeper');
  private timer?: NodeJS.Timeout;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly runs: BatchOperationRuns,
    private readonly queue: Queue,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    const sweep = (): void => {
      this.sweeping = this.sweep().finally(() => this.timer?.refresh());
    };
    this.timer = setTimeout(sweep, this.config.sweepSeconds * 1_000);
    sweep();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.sweeping;
  }

  private async sweep(): Promise<void> {
    try {
      for (const id of await this.runs.due(AT_ONCE)) this.queue.tell({ task: 'batch_operation', id });
    } catch (error) {
      this.logger.warn(`Could not look for work: ${(error as Error).message}`);
    }
  }
}
