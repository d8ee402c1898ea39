import { Process, Processor } from '@nestjs/bull';
import type { Job as BullJob } from 'bull';
import { BULL_QUEUE } from '../queue/queue.module.js';
import type { Job } from '../queue/queue.port.js';
import { BatchOperationHandler } from './batch-operation.handler.js';

/** Jobs from Redis that one process handles at the same time. */
const CONCURRENCY = 4;

/** Takes jobs from Redis to their handler. */
@Processor(BULL_QUEUE)
export class BullProcessor {
  constructor(private readonly batchOperations: BatchOperationHandler) {}

  @Process({ concurrency: CONCURRENCY })
  handle({ data }: BullJob<Job>): Promise<void> {
    return this.batchOperations.handle(data.batchOperationId);
  }
}
