import { Module } from '@nestjs/common';
import { BATCH_OPERATION_TYPES, BatchOperationRegistry } from '../batch-operation-registry.js';
import type { BatchOperationType } from './batch-operation-type.js';
import { batchOperationTypes } from './batch-operation-types.js';
import { CalloutPopulationType } from './callout-population.type.js';
import { PhoneCallCreateType } from './phone-call-create.type.js';
import { PhoneCallQueueRemoteFetchType } from './phone-call-queue-remote-fetch.type.js';
import { PhoneCallQueueType } from './phone-call-queue.type.js';

const types = [CalloutPopulationType, PhoneCallCreateType, PhoneCallQueueType, PhoneCallQueueRemoteFetchType];

@Module({
  providers: [
    ...types,
    {
      provide: BATCH_OPERATION_TYPES,
      inject: types,
      useFactory: (...instances: BatchOperationType[]) => instances,
    },
    BatchOperationRegistry,
  ],
  exports: [BatchOperationRegistry],
})
export class BatchOperationTypesModule {}

/** The names of all types. This file imports every type, so the list is complete. */
export const batchOperationTypeNames: readonly string[] = batchOperationTypes.names;
