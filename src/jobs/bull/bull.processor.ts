import { Process, Processor } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Injectable, type Type } from '@nestjs/common';
import type { Job as BullJob } from 'bull';
import PQueue from 'p-queue';
import { JobRegistry } from '../job-registry.js';
import type { Job, Task } from '../queue.port.js';

/** Passes the jobs of one task from Redis to their handler. */
export interface BullTaskProcessor extends BeforeApplicationShutdown {
  /** @throws Error when a job failed. Bull then tries all jobs again, which does not harm those that succeeded. */
  handle(jobs: BullJob<Job[]>): Promise<void>;
  /** Starts no further job, so that Bull only waits for the running ones. The sweeper finds the rows of the others. */
  beforeApplicationShutdown(): void;
}

/** @returns a class that processes the jobs of a task, for `@nestjs/bull` */
export function bullProcessorOf({ name, concurrency }: Task): Type<BullTaskProcessor> {
  @Injectable()
  @Processor(name)
  class BullProcessor implements BullTaskProcessor {
    private readonly queue = new PQueue({ concurrency });
    private stopping = false;

    constructor(private readonly registry: JobRegistry) {}

    @Process({ concurrency })
    async handle({ data }: BullJob<Job[]>): Promise<void> {
      const handled = await Promise.allSettled(data.map((job) => this.queue.add(() => this.run(job))));
      const failed = handled.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
    }

    beforeApplicationShutdown(): void {
      this.stopping = true;
    }

    private async run(job: Job): Promise<void> {
      if (!this.stopping) await this.registry.handle(job);
    }
  }
  Object.defineProperty(BullProcessor, 'name', { value: `BullProcessor(${name})` });
  return BullProcessor;
}
