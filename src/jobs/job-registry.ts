import { Inject, Injectable, Logger } from '@nestjs/common';
import { loggableError } from '../logging/loggable-error.js';
import { type JobHandler, jobTasks } from './job-handler.js';
import type { Job } from './queue.port.js';

/** The token of the instances of all job handlers. */
export const JOB_HANDLERS = Symbol('JOB_HANDLERS');

/**
 * Finds the handler of each job, and logs its failures, because the queues retry silently. The program does not start
 * if a handler is missing, or has no task.
 */
@Injectable()
export class JobRegistry {
  private readonly logger = new Logger('Jobs');
  /** The handlers by their tasks. */
  readonly handlers: ReadonlyMap<string, JobHandler>;

  constructor(@Inject(JOB_HANDLERS) handlers: readonly JobHandler[]) {
    this.handlers = jobTasks.index(handlers);
  }

  /** @throws Error of the handler, so that the queue tries the job again */
  async handle({ task, id, at = 0 }: Job): Promise<void> {
    try {
      const handler = this.handlers.get(task);
      if (!handler) throw new Error(`No handler has the task ${task}`);
      await handler.handle(id, at);
    } catch (error) {
      const { message, stack } = loggableError(error);
      this.logger.error(`Job ${task} ${id} failed: ${stack ?? message}`);
      throw error;
    }
  }
}
