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

/** Work on many rows: previewed first, then queued and run in the background. */
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
   * What it does, and to which rows; which keys there may be depends on the type.
   * @example { "contact_filter_params": { "metadata": { "gender": "f" } } }
   */
  @JsonColumn()
  parameters!: Metadata;

  /** Whatever else is to be kept with it. */
  @JsonColumn()
  metadata!: Metadata;

  /** Where it stands; moved by its events and by the worker. */
  @ApiProperty({ enum: batchOperationStatuses, example: 'preview' })
  @TextColumn()
  status!: BatchOperationStatus;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /** What kind of work it is. */
  @ApiProperty({ type: String, enum: batchOperationTypes.names, example: 'BatchOperation::CalloutPopulation' })
  @TextColumn()
  type!: string;

  /** Why it failed; null unless it did. */
  @TextColumn({ nullable: true })
  error!: string | null;

  /** Rows done in this run: moved in the transaction that does them. */
  @BigIntColumn({ defaultValue: 0 })
  processed!: number;

  /** Rows to do, counted when the run began. */
  @BigIntColumn({ nullable: true })
  total!: number | null;

  /** The id up to which the source rows have been dealt with in this run. */
  @BigIntColumn({ defaultValue: 0 })
  cursor!: number;

  /** Failures since the run last made headway. */
  @BigIntColumn({ defaultValue: 0 })
  attempts!: number;

  /** Names the worker that owns the run; whoever holds another token has lost it. */
  @TextColumn({ nullable: true })
  lease_token!: string | null;

  /** Until when, by the database's clock, nobody else may take the run. */
  @OptionalTimestampColumn()
  leased_until!: Date | null;
}
