import { type DynamicModule, Module } from '@nestjs/common';
import { BatchOperationRuns } from '../batch-operations/batch-operation-runs.js';
import { BatchOperationTypesModule } from '../batch-operations/types/types.module.js';
import { CallFlowsModule } from '../call-flows/call-flows.module.js';
import type { Config } from '../config.js';
import { Checks } from '../phone-calls/checks.js';
import { CalloutTrials } from '../phone-calls/callout-trials.js';
import { DialClaims } from '../phone-calls/dial-claims.js';
import { DialQueue } from '../phone-calls/dial-queue.js';
import { DialResults } from '../phone-calls/dial-results.js';
import { ReservationWindow } from '../phone-calls/reservation-window.js';
import { BatchOperationHandler } from '../batch-operations/batch-operation.handler.js';
import { bullProcessorOf } from '../jobs/bull/bull.processor.js';
import { DialHandler } from './dial.handler.js';
import { Dispatcher } from './dispatcher.js';
import { FetchHandler } from './fetch.handler.js';
import { InProcessProcessor } from '../jobs/in-process/in-process.processor.js';
import { type JobHandler, jobTasks } from '../jobs/job-handler.js';
import { JOB_HANDLERS, JobRegistry } from '../jobs/job-registry.js';
import { Sweeper } from '../jobs/sweeper.js';

const dialing = [ReservationWindow, DialQueue, DialClaims, DialResults, CalloutTrials, Checks];
const jobHandlers = [BatchOperationHandler, DialHandler, FetchHandler];

/** The tasks of the queue: this file imports every handler. */
export const tasks = jobTasks.definitions();

/** Background work: it is started by the queue, or found by polling. */
@Module({})
export class ProcessorModule {
  static for({ redis }: Config): DynamicModule {
    return {
      module: ProcessorModule,
      imports: [BatchOperationTypesModule, CallFlowsModule],
      providers: [
        BatchOperationRuns,
        ...dialing,
        ...jobHandlers,
        {
          provide: JOB_HANDLERS,
          inject: jobHandlers,
          useFactory: (...handlers: JobHandler[]) => handlers,
        },
        JobRegistry,
        Sweeper,
        Dispatcher,
        ...(redis ? tasks.map(bullProcessorOf) : [InProcessProcessor]),
      ],
    };
  }
}
