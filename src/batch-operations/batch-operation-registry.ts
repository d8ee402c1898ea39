import { Injectable } from '@nestjs/common';
import { type BatchOperationType, batchOperationTypes } from './batch-operation.types.js';
import type { BatchOperationKind } from './types/batch-operation-type.js';
import { CalloutPopulationKind } from './types/callout-population.type.js';
import { PhoneCallCreateKind } from './types/phone-call-create.type.js';
import { PhoneCallQueueRemoteFetchKind } from './types/phone-call-queue-remote-fetch.type.js';
import { PhoneCallQueueKind } from './types/phone-call-queue.type.js';

/** Every kind of batch operation, by its type. The program does not start while a type has none. */
@Injectable()
export class Kinds {
  private readonly byType: Map<BatchOperationType, BatchOperationKind>;

  constructor(
    population: CalloutPopulationKind,
    create: PhoneCallCreateKind,
    queue: PhoneCallQueueKind,
    queueRemoteFetch: PhoneCallQueueRemoteFetchKind,
  ) {
    const kinds: BatchOperationKind[] = [population, create, queue, queueRemoteFetch];
    this.byType = new Map(kinds.map((kind) => [kind.type, kind]));
    for (const type of batchOperationTypes) this.of(type);
  }

  of(type: BatchOperationType): BatchOperationKind {
    const kind = this.byType.get(type);
    if (!kind) throw new Error(`No kind does ${type}`);
    return kind;
  }
}
