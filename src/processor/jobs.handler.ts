import { Injectable, Logger } from '@nestjs/common';
import { loggableError } from '../logging/loggable-error.js';
import type { Job } from '../queue/queue.port.js';
import { BatchOperationHandler } from './batch-operation.handler.js';
import { DialHandler } from '../dialing/dial.handler.js';
import { FetchHandler } from '../dialing/fetch.handler.js';

/** Takes each job to the handler of its task, and logs each failure: the queues try a failed job again and say nothing. */
@Injectable()
export class JobsHandler {
  private readonly logger = new Logger('Jobs');

  constructor(
    private readonly batchOperations: BatchOperationHandler,
    private readonly dials: DialHandler,
    private readonly fetches: FetchHandler,
  ) {}

  /** @throws Error the handler's, so that the queue tries again */
  async handle(job: Job): Promise<void> {
    try {
      await this.dispatch(job);
    } catch (error) {
      const { message, stack } = loggableError(error);
      this.logger.error(`Job ${job.task} ${job.id} failed: ${stack ?? message}`);
      throw error;
    }
  }

  private dispatch({ task, id, at = 0 }: Job): Promise<void> {
    switch (task) {
      case 'batch_operation':
        return this.batchOperations.handle(id);
      case 'dial':
        return this.dials.handle(id, at);
      case 'fetch':
        return this.fetches.handle(id);
    }
  }
}
