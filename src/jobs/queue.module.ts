import { BullModule, getQueueToken } from '@nestjs/bull';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import type { Config } from '../config/config.js';
import { BullQueue } from './bull/bull.queue.js';
import { InProcessQueue } from './in-process/in-process.queue.js';
import { type Job, Queue, type Task } from './queue.port.js';

/** Provides the queue: Bull if Redis is configured, otherwise a queue in this process. */
@Module({})
export class QueueModule {
  /** @param tasks every task that has a handler */
  static for({ redis }: Config, tasks: readonly Task[]): DynamicModule {
    const shared = { module: QueueModule, global: true, exports: [Queue] };
    if (!redis) return { ...shared, providers: [{ provide: Queue, useFactory: () => new InProcessQueue(tasks) }] };
    return {
      ...shared,
      imports: [
        BullModule.registerQueue(
          ...tasks.map(({ name }) => ({
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
          inject: tasks.map(({ name }) => getQueueToken(name)),
          useFactory: (...bulls: Bull<Job[]>[]) =>
            new BullQueue(new Map(bulls.map((bull, index) => [tasks[index]!.name, bull]))),
        },
      ],
    };
  }
}
