import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../job-registry.js';
import { Queue } from '../queue.port.js';
import { InProcessQueue } from './in-process.queue.js';

/** Passes the jobs of the in-process queue to their handlers. */
@Injectable()
export class InProcessProcessor implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly queue: Queue,
    private readonly registry: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.inProcess.process((job) => this.registry.handle(job));
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.inProcess.close();
  }

  private get inProcess(): InProcessQueue {
    return this.queue as InProcessQueue;
  }
}
