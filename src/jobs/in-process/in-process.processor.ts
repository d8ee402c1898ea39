import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { InProcessQueue } from './in-process.queue.js';
import { Queue } from '../queue.port.js';
import { JobsHandler } from '../job-registry.js';

/** Takes jobs from the queue in this process to their handler. */
@Injectable()
export class InProcessProcessor implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly queue: Queue,
    private readonly jobs: JobsHandler,
  ) {}

  onModuleInit(): void {
    this.inProcess.process((job) => this.jobs.handle(job));
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.inProcess.close();
  }

  private get inProcess(): InProcessQueue {
    return this.queue as InProcessQueue;
  }
}
