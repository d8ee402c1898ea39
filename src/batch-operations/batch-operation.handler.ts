import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { BatchOperation } from './batch-operation.entity.js';
import type { Step } from './types/batch-operation-type.js';
import { type JobHandler, JobTask } from '../jobs/job-handler.js';
import { BatchOperationRuns, LeaseLost } from './batch-operation-runs.js';

/** Runs batch operations, chunk by chunk. It knows no queue: whoever calls it, and how often, the rows decide what is done. */
@Injectable()
@JobTask('batch_operation', { concurrency: 4 })
export class BatchOperationHandler implements JobHandler, BeforeApplicationShutdown {
  private readonly logger = new Logger('Worker');
  private stopping = false;
  private readonly active = new Set<Promise<void>>();

  constructor(private readonly runs: BatchOperationRuns) {}

  /** Takes the run and goes on with it until it has ended; returns at once when there is nothing to take. */
  async handle(id: number): Promise<void> {
    if (this.stopping) return;
    const work = this.work(id).finally(() => this.active.delete(work));
    this.active.add(work);
    return work;
  }

  findDue(limit: number): Promise<number[]> {
    return this.runs.due(limit);
  }

  /** Ends each run after the chunk that is under way, for another worker to go on with. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled(this.active);
  }

  private async work(id: number): Promise<void> {
    const run = await this.runs.claim(id);
    if (!run) return;
    try {
      await this.complete(run).catch((error: Error) => this.setBack(run, error));
    } catch (error) {
      // Whoever has it now goes on with it.
      if (!(error instanceof LeaseLost)) throw error;
    }
  }

  private async setBack(run: BatchOperation, error: Error): Promise<void> {
    if (error instanceof LeaseLost) throw error;
    this.logger.warn(`Batch operation ${run.id} was set back: ${error.message}`);
    await this.runs.setBack(run);
  }

  private async complete(run: BatchOperation): Promise<void> {
    await this.runs.measure(run);
    let last: Step | undefined;
    while (!this.stopping) {
      last = await this.runs.step(run, last);
      if (last.done) return this.runs.analyze(run);
    }
    await this.runs.release(run);
  }
}
