import { type DynamicModule, Module } from '@nestjs/common';
import { BatchOperationRuns } from '../batch-operations/batch-operation-runs.js';
import { KindsModule } from '../batch-operations/kinds/kinds.module.js';
import { CallFlowsModule } from '../call-flows/call-flows.module.js';
import type { Config } from '../config.js';
import { EventRetention } from '../events/event-retention.js';
import { Checks } from '../phone-calls/checks.js';
import { CalloutTrials } from '../phone-calls/callout-trials.js';
import { DialClaims } from '../phone-calls/dial-claims.js';
import { DialQueue } from '../phone-calls/dial-queue.js';
import { DialResults } from '../phone-calls/dial-results.js';
import { ReservationWindow } from '../phone-calls/reservation-window.js';
import { BatchOperationHandler } from './batch-operation.handler.js';
import { bullProcessors } from './bull.processor.js';
import { DialHandler } from './dial.handler.js';
import { Dispatcher } from './dispatcher.js';
import { FetchHandler } from './fetch.handler.js';
import { InProcessProcessor } from './in-process.processor.js';
import { JobsHandler } from './jobs.handler.js';
import { Sweeper } from './sweeper.js';

const dialing = [ReservationWindow, DialQueue, DialClaims, DialResults, CalloutTrials, DialHandler];
const work = [BatchOperationRuns, BatchOperationHandler, ...dialing, Checks, FetchHandler, JobsHandler];

/** The other entrance: background work, by word from the queue or by finding it. */
@Module({})
export class ProcessorModule {
  static for({ redis }: Config): DynamicModule {
    return {
      module: ProcessorModule,
      imports: [KindsModule, CallFlowsModule],
      providers: [...work, EventRetention, Sweeper, Dispatcher, ...(redis ? bullProcessors : [InProcessProcessor])],
    };
  }
}
