import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { InProcessQueue } from '../queue/in-process.queue.js';
import { Queue } from '../queue/queue.port.js';
import { BatchOperationHandler } from './batch-operation.handler.js';

/** Takes jobs from the queue in this process to their handler. */
@Injectable()
export class InProcessProcessor implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly queue: Queue,
    private readonly batchOperations: BatchOperationHandler,
  ) {}

  onModuleInit(): void {
    this.inProcess.process(({ batchOperationId }) => this.batchOperations.handle(batchOperationId));
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.inProcess.close();
  }

  private get inProcess(): InProcessQueue {
    return this.queue as InProcessQueue;
  }
}
