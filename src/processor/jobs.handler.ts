import { Injectable } from '@nestjs/common';
import type { Job } from '../queue/queue.port.js';
import { BatchOperationHandler } from './batch-operation.handler.js';
import { DialHandler } from './dial.handler.js';
import { FetchHandler } from './fetch.handler.js';

/** Takes each job to the handler of its task. */
@Injectable()
export class JobsHandler {
  constructor(
    private readonly batchOperations: BatchOperationHandler,
    private readonly dials: DialHandler,
    private readonly fetches: FetchHandler,
  ) {}

  handle({ task, id, at = 0 }: Job): Promise<void> {
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
