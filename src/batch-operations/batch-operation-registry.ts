import { Inject, Injectable } from '@nestjs/common';
import type { BatchOperationType } from './types/batch-operation-type.js';
import { batchOperationTypes } from './types/batch-operation-types.js';

/** The injection token of the instances of all types. */
export const BATCH_OPERATION_TYPES = Symbol('BATCH_OPERATION_TYPES');

/** All types of batch operations by name. The program does not start if a type is missing or has no name. */
@Injectable()
export class BatchOperationRegistry {
  private readonly types: ReadonlyMap<string, BatchOperationType>;

  constructor(@Inject(BATCH_OPERATION_TYPES) types: readonly BatchOperationType[]) {
    this.types = batchOperationTypes.index(types);
  }

  /** @throws Error if no type has this name */
  get(name: string): BatchOperationType {
    const type = this.types.get(name);
    if (!type) throw new Error(`There is no type of batch operation ${name}`);
    return type;
  }
}
