import { type DynamicModule, Module } from '@nestjs/common';
import { BatchOperationRuns } from '../batch-operations/batch-operation-runs.js';
import { KindsModule } from '../batch-operations/kinds/kinds.module.js';
import type { Config } from '../config.js';
import { BatchOperationHandler } from './batch-operation.handler.js';
import { BullProcessor } from './bull.processor.js';
import { InProcessProcessor } from './in-process.processor.js';
import { Sweeper } from './sweeper.js';

/** The other entrance: background work, by word from the queue or by finding it. */
@Module({})
export class ProcessorModule {
  static for({ redisUrl }: Config): DynamicModule {
    return {
      module: ProcessorModule,
      imports: [KindsModule],
      providers: [BatchOperationRuns, BatchOperationHandler, Sweeper, redisUrl ? BullProcessor : InProcessProcessor],
    };
  }
}
