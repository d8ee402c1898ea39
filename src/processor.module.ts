import { type DynamicModule, Module } from '@nestjs/common';
import { BatchOperationRuns } from './batch-operations/batch-operation-runs.js';
import { BatchOperationHandler } from './batch-operations/batch-operation.handler.js';
import { BatchOperationTypesModule } from './batch-operations/types/types.module.js';
import { Attempts } from './callout-runner/attempts.js';
import { CalloutRunner } from './callout-runner/callout-runner.js';
import { CalloutHandler } from './callout-runner/callout.handler.js';
import type { Config } from './config/config.js';
import { EventRetention } from './events/event-retention.js';
import { DialHandler } from './dialing/dial.handler.js';
import { DialingModule } from './dialing/dialing.module.js';
import { FetchHandler } from './dialing/fetch.handler.js';
import { RecallHandler } from './dialing/recall.handler.js';
import { bullProcessorOf } from './jobs/bull/bull.processor.js';
import { InProcessProcessor } from './jobs/in-process/in-process.processor.js';
import { type JobHandler, jobTasks } from './jobs/job-handler.js';
import { JOB_HANDLERS, JobRegistry } from './jobs/job-registry.js';
import { Sweeper } from './jobs/sweeper.js';

const jobHandlers = [BatchOperationHandler, CalloutHandler, DialHandler, FetchHandler, RecallHandler];

/** The tasks of the queue. They are complete, because this file imports every handler. */
export const tasks = jobTasks.definitions();

/** The background work, started by the queue or found by polling. */
@Module({})
export class ProcessorModule {
  static for({ redis }: Config): DynamicModule {
    return {
      module: ProcessorModule,
      imports: [BatchOperationTypesModule, DialingModule],
      providers: [
        BatchOperationRuns,
        BatchOperationHandler,
        Attempts,
        CalloutRunner,
        CalloutHandler,
        {
          provide: JOB_HANDLERS,
          inject: jobHandlers,
          useFactory: (...handlers: JobHandler[]) => handlers,
        },
        JobRegistry,
        Sweeper,
        EventRetention,
        ...(redis ? tasks.map(bullProcessorOf) : [InProcessProcessor]),
      ],
    };
  }
}
