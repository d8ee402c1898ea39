import { Process, Processor } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Injectable, type Type } from '@nestjs/common';
import type { Job as BullJob } from 'bull';
import pLimit from 'p-limit';
import { CONCURRENCY, type Job, type Task, tasks } from '../queue.port.js';
import { JobsHandler } from '../job-registry.js';

/** For each task, what takes its jobs from Redis to their handler. */
export const bullProcessors: Type[] = tasks.map((task: Task) => {
  @Injectable()
  @Processor(task)
  class BullProcessor implements BeforeApplicationShutdown {
    private readonly lanes = pLimit(CONCURRENCY[task]);
    private stopping = false;

    constructor(private readonly jobs: JobsHandler) {}

    /** Fails when one of the jobs has: it is no harm to those that have not, if they are handled once more. */
    @Process({ concurrency: CONCURRENCY[task] })
    async handle({ data }: BullJob<Job[]>): Promise<void> {
      const handled = await Promise.allSettled(data.map((job) => this.lanes(() => this.begin(job))));
      const failed = handled.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
    }

    /** Begins no further job, so that Bull need only wait for those under way: the rows of the others are found by another process. */
    beforeApplicationShutdown(): void {
      this.stopping = true;
    }

    private async begin(job: Job): Promise<void> {
      if (!this.stopping) await this.jobs.handle(job);
    }
  }
  Object.defineProperty(BullProcessor, 'name', { value: `BullProcessor(${task})` });
  return BullProcessor;
});
