import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../config/config.js';
import { JobRegistry } from './job-registry.js';
import { PollingLoop } from './polling-loop.js';
import { Queue } from './queue.port.js';

/** The most rows of one task that a run finds. The next run finds others. */
const BATCH_SIZE = 100;

/**
 * Finds rows that need work, because the queue missed them or their worker was lost, and notifies the queue of them.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Sweeper');
  private readonly loop: PollingLoop;

  constructor(
    private readonly registry: JobRegistry,
    private readonly queue: Queue,
    { sweepSeconds }: Config,
  ) {
    this.loop = new PollingLoop(
      () => this.sweep(),
      sweepSeconds * 1_000,
      ({ message }) => this.logger.warn(`Could not look for work: ${message}`),
    );
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async sweep(): Promise<void> {
    for (const [task, handler] of this.registry.handlers) {
      const ids = (await handler.findDue?.(BATCH_SIZE)) ?? [];
      for (const id of ids) this.queue.notify({ task, id });
    }
  }
}
