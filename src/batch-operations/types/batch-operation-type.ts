import type { Type } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { FieldErrors } from '../../errors/errors.js';
import type { Metadata } from '../../metadata/metadata.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type { Transaction } from '../../database/transaction.js';
import type { ListedTable } from './listed-resources.js';
import type { IdWindow } from './id-window.js';
import { batchOperationTypes } from './batch-operation-types.js';

/** The condition of the listed rows, by table. */
export type ListConditions = Partial<Record<ListedTable, (operation: Scope) => Sql>>;

/** Which rows a batch operation is about. */
export type Scope = Pick<BatchOperation, 'id' | 'callout_id' | 'parameters'>;

/** A batch operation before it is stored, as far as its validation needs it. */
export interface Draft {
  callout_id: number | null;
  parameters: Metadata;
}

/** What one chunk of a run did: the source rows that it scanned, and how many rows it made or changed. */
export interface ChunkResult extends IdWindow {
  /** How many rows were made or changed. */
  processed: number;
}

/** The limits of one chunk. */
export interface ChunkLimits {
  /** The most source rows to scan. */
  windowSize: number;
  /** The most rows to make or change. */
  maxRows: number;
}

/** A type of batch operation. */
export interface BatchOperationType {
  /** @returns the errors of a draft: unknown parameters, invalid filters, a missing callout */
  validate(draft: Draft): FieldErrors;
  /** The key of the error for an empty preview; absent if the preview may be empty. */
  readonly needsPreview?: string;
  /** The rows that running the operation now would touch, exactly. */
  readonly preview: ListConditions;
  /** The rows that are left out because people opted out; absent if the type does not look at opt-outs. */
  readonly leftOut?: ListConditions;
  /** The rows that the operation has touched so far. */
  readonly results: ListConditions;
  /** The table in which rows are made or changed. */
  readonly target: 'callout_participations' | 'phone_calls';
  /** The table that a run scans. The number of its rows in the preview is the run's total. */
  readonly source: ListedTable;
  /** Whether the total that was counted at the beginning limits the run, even if more rows match later. */
  readonly isLimited?: (operation: Scope) => boolean;
  /** Runs the next chunk, from `operation.cursor` on, in the transaction that also stores the cursor. */
  runChunk(transaction: Transaction, operation: BatchOperation, bounds: ChunkLimits): Promise<ChunkResult>;
}

/**
 * Registers a class as a type of batch operation. `BatchOperationTypesModule` must list the class as a provider.
 * @param name of the type in the API
 */
export const BatchOperationTypeName = (name: string) => (type: Type<BatchOperationType>) =>
  batchOperationTypes.register(name, type);
