import { Injectable } from '@nestjs/common';
import { type BatchOperationType, batchOperationTypes } from '../batch-operation.types.js';
import type { BatchOperationKind } from './batch-operation.kind.js';
import { CalloutPopulationKind } from './callout-population.kind.js';

/** Every kind of batch operation, by its type. The program does not start while a type has none. */
@Injectable()
export class Kinds {
  private readonly byType: Map<BatchOperationType, BatchOperationKind>;

  constructor(population: CalloutPopulationKind) {
    this.byType = new Map<BatchOperationType, BatchOperationKind>([population].map((kind) => [kind.type, kind]));
    for (const type of batchOperationTypes) this.of(type);
  }

  of(type: BatchOperationType): BatchOperationKind {
    const kind = this.byType.get(type);
    if (!kind) throw new Error(`No kind does ${type}`);
    return kind;
  }
}
