import { type DynamicModule, Module } from '@nestjs/common';
import { BatchOperationRuns } from '../batch-operations/batch-operation-runs.js';
import { KindsModule } from '../batch-operations/kinds/kinds.module.js';
import type { Config } from '../config.js';
import { DialingModule } from '../dialing/dialing.module.js';
import { BatchOperationHandler } from './batch-operation.handler.js';
import { bullProcessors } from './bull.processor.js';
import { InProcessProcessor } from './in-process.processor.js';
import { JobsHandler } from './jobs.handler.js';
import { Sweeper } from './sweeper.js';

const work = [BatchOperationRuns, BatchOperationHandler, JobsHandler];

/** The other entrance: background work, by word from the queue or by finding it. */
@Module({})
export class ProcessorModule {
  static for({ redis }: Config): DynamicModule {
    return {
      module: ProcessorModule,
      imports: [KindsModule, DialingModule],
      providers: [...work, Sweeper, ...(redis ? bullProcessors : [InProcessProcessor])],
    };
  }
}
