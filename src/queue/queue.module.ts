import { BullModule, getQueueToken } from '@nestjs/bull';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import type { Config } from '../config.js';
import { BullQueue } from './bull.queue.js';
import { InProcessQueue } from './in-process.queue.js';
import { type Job, Queue } from './queue.port.js';

/** The name of the one Bull queue. */
export const BULL_QUEUE = 'scfm';

/** Gives the program its queue: Bull where there is a Redis, else this process. */
@Module({})
export class QueueModule {
  static for({ redisUrl }: Config): DynamicModule {
    const shared = { module: QueueModule, global: true, exports: [Queue] };
    if (!redisUrl) return { ...shared, providers: [{ provide: Queue, useClass: InProcessQueue }] };
    return {
      ...shared,
      imports: [
        BullModule.registerQueue({
          name: BULL_QUEUE,
          url: redisUrl,
          redis: { maxRetriesPerRequest: null, retryStrategy: (attempt: number) => Math.min(attempt * 100, 1_000) },
        }),
      ],
      providers: [
        { provide: Queue, inject: [getQueueToken(BULL_QUEUE)], useFactory: (bull: Bull<Job>) => new BullQueue(bull) },
      ],
    };
  }
}
