import { Process, Processor } from '@nestjs/bull';
import { Injectable, type Type } from '@nestjs/common';
import type { Job as BullJob } from 'bull';
import { CONCURRENCY, type Job, type Task, tasks } from '../queue/queue.port.js';
import { JobsHandler } from './jobs.handler.js';

/** For each task, what takes its jobs from Redis to their handler. */
export const bullProcessors: Type[] = tasks.map((task: Task) => {
  @Injectable()
  @Processor(task)
  class BullProcessor {
    constructor(private readonly jobs: JobsHandler) {}

    @Process({ concurrency: CONCURRENCY[task] })
    handle({ data }: BullJob<Job>): Promise<void> {
      return this.jobs.handle(data);
    }
  }
  Object.defineProperty(BullProcessor, 'name', { value: `BullProcessor(${task})` });
  return BullProcessor;
});
