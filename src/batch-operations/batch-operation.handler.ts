import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { BatchOperation } from './batch-operation.entity.js';
import type { ChunkResult } from './types/batch-operation-type.js';
import { type JobHandler, JobTask } from '../jobs/job-handler.js';
import { BatchOperationRuns, LeaseLostError } from './batch-operation-runs.js';

/**
 * Runs batch operations, chunk by chunk. The state of a run is in its row, so duplicate, late or lost jobs of the queue
 * do no harm.
 */
@Injectable()
@JobTask('batch_operation', { concurrency: 4 })
export class BatchOperationHandler implements JobHandler, BeforeApplicationShutdown {
  private readonly logger = new Logger('Worker');
  private stopping = false;
  private readonly active = new Set<Promise<void>>();

  constructor(private readonly runs: BatchOperationRuns) {}

  /**
   * Claims a run and works on it until it ends or the program stops.
   * @returns at once if the run cannot be claimed
   */
  async handle(id: number): Promise<void> {
    if (this.stopping) return;
    const work = this.work(id).finally(() => this.active.delete(work));
    this.active.add(work);
    return work;
  }

  findDue(limit: number): Promise<number[]> {
    return this.runs.findDue(limit);
  }

  /** Stops each run after its current chunk. Another worker continues it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled(this.active);
  }

  private async work(id: number): Promise<void> {
    const run = await this.runs.claim(id);
    if (!run) return;
    try {
      await this.runToEnd(run).catch((error: Error) => this.recordFailure(run, error));
    } catch (error) {
      // The new owner continues the run.
      if (!(error instanceof LeaseLostError)) throw error;
    }
  }

  private async recordFailure(run: BatchOperation, error: Error): Promise<void> {
    if (error instanceof LeaseLostError) throw error;
    this.logger.warn(`An attempt of batch operation ${run.id} failed: ${error.message}`);
    await this.runs.recordFailure(run);
  }

  private async runToEnd(run: BatchOperation): Promise<void> {
    await this.runs.countTotal(run);
    let last: ChunkResult | undefined;
    while (!this.stopping) {
      last = await this.runs.runChunk(run, last);
      if (last.done) return this.runs.analyze(run);
    }
    await this.runs.release(run);
  }
}
