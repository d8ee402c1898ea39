import { ApiProperty } from '@nestjs/swagger';
import { Entity, Index } from 'typeorm';
import { Callout } from '../callouts/callout.entity.js';
import {
  BigIntColumn,
  ForeignKeyColumn,
  IdColumn,
  JsonColumn,
  OptionalTimestampColumn,
  TextColumn,
  TimestampColumn,
} from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import { type BatchOperationStatus, batchOperationStatuses } from './batch-operation.machine.js';
import { batchOperationTypes } from './types/batch-operation-types.js';

/** Work on many rows. It is previewed first, then queued, and run in the background. */
@Entity('batch_operations')
@Index('batch_operations_callout_id', ['callout_id'])
@Index('batch_operations_to_do', ['id'], { where: `"status" IN ('queued', 'running')` })
export class BatchOperation {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /** @example 1 */
  @ForeignKeyColumn(() => Callout, 'batch_operations_callout_id_fkey', { nullable: true })
  callout_id!: number | null;

  /**
   * What it does, and to which rows. The permitted keys depend on the type.
   * @example { "contact_filter_params": { "metadata": { "gender": "f" } } }
   */
  @JsonColumn()
  parameters!: Metadata;

  /** Any further data. */
  @JsonColumn()
  metadata!: Metadata;

  /** The status. Events and workers change it. */
  @ApiProperty({ enum: batchOperationStatuses, example: 'preview' })
  @TextColumn()
  status!: BatchOperationStatus;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /** The type of the batch operation. */
  @ApiProperty({ type: String, enum: batchOperationTypes.names, example: 'BatchOperation::CalloutPopulation' })
  @TextColumn()
  type!: string;

  /** Why it failed; null if it did not. */
  @TextColumn({ nullable: true })
  error!: string | null;

  /** How many rows this run has made or changed, updated in the transaction that does so. */
  @BigIntColumn({ defaultValue: 0 })
  processed!: number;

  /** How many rows there are to make or change, counted when the run begins. */
  @BigIntColumn({ nullable: true })
  total!: number | null;

  /** The id of the last source row that this run has scanned. */
  @BigIntColumn({ defaultValue: 0 })
  cursor!: number;

  /** How many times in a row the run has failed at its cursor. */
  @BigIntColumn({ defaultValue: 0 })
  attempts!: number;

  /** Identifies the worker that owns the run. A worker with another token has lost it. */
  @TextColumn({ nullable: true })
  lease_token!: string | null;

  /** Until when no other worker may take over the run, by the database's clock. */
  @OptionalTimestampColumn()
  leased_until!: Date | null;
}
