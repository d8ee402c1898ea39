import { BullModule, getQueueToken } from '@nestjs/bull';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import type { Config } from '../config/config.js';
import { BullQueue, type Bulls } from './bull.queue.js';
import { InProcessQueue } from './in-process.queue.js';
import { type Job, Queue, tasks } from './queue.port.js';

/** Gives the program its queue: Bull where there is a Redis, else this process. */
@Module({})
export class QueueModule {
  static for({ redis }: Config): DynamicModule {
    const shared = { module: QueueModule, global: true, exports: [Queue] };
    if (!redis) return { ...shared, providers: [{ provide: Queue, useClass: InProcessQueue }] };
    return {
      ...shared,
      imports: [
        BullModule.registerQueue(
          ...tasks.map((name) => ({
            name,
            prefix: 'scfm',
            redis: {
              ...redis,
              maxRetriesPerRequest: null,
              retryStrategy: (attempt: number) => Math.min(attempt * 100, 1_000),
            },
          })),
        ),
      ],
      providers: [
        {
          provide: Queue,
          inject: tasks.map((task) => getQueueToken(task)),
          useFactory: (...bulls: Bull<Job[]>[]) =>
            new BullQueue(Object.fromEntries(tasks.map((task, index) => [task, bulls[index]])) as Bulls),
        },
      ],
    };
  }
}
