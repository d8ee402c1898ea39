import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type JobHandler, JobTask } from '../jobs/job-handler.js';
import { PollingLoop } from '../jobs/polling-loop.js';
import { CalloutRunner } from './callout-runner.js';

/** How often callouts that have something to do are found (ms). */
const POLL_INTERVAL = 500;

/** The most callouts that one poll finds. The next poll goes on after them. */
const MAX_FOUND = 100;

/** A step of the database's clock that is not noticed (ms), because a reading takes time. */
const UNNOTICED_STEP = 2_000;

/**
 * Advances callouts: at once when a job says that one was started or changed, and otherwise when a poll finds that one
 * has something to do.
 */
@Injectable()
@JobTask('callout', { concurrency: 2 })
export class CalloutHandler implements JobHandler, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('CalloutRunner');
  private stopping = false;
  /** The clock of the database minus that of this process, which never steps back (ms). */
  private clockOffset = Infinity;
  private lastFound = 0;
  private readonly loop = new PollingLoop(
    () => this.advanceDue(),
    POLL_INTERVAL,
    ({ message }) => this.logger.warn(`Could not find callouts: ${message}`),
  );

  constructor(private readonly runner: CalloutRunner) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
  }

  /** Advances a callout until there is nothing more to do at once. */
  async handle(id: number): Promise<void> {
    while (!this.stopping && (await this.runner.advance(id)));
  }

  /** A callout that cannot be advanced does not keep it from the others. */
  private async advanceDue(): Promise<void> {
    await this.noticeStepBack();
    for (const id of await this.runner.findDue(MAX_FOUND, this.lastFound)) {
      this.lastFound = id;
      await this.handle(id).catch(({ message }: Error) =>
        this.logger.warn(`Could not advance callout ${id}: ${message}`),
      );
    }
  }

  /** Corrects what was planned if the clock of the database has stepped back, or may have done so before the start. */
  private async noticeStepBack(): Promise<void> {
    const offset = (await this.runner.readClock()) - performance.now();
    if (offset < this.clockOffset - UNNOTICED_STEP) await this.runner.limitPauses();
    this.clockOffset = offset;
  }
}
