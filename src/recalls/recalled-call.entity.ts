import { Entity, Index } from 'typeorm';
import { BigIntColumn, ForeignKeyColumn, IdColumn, OptionalTimestampColumn, TextColumn } from '../database/columns.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { Recall } from './recall.entity.js';

/** A call that was under way when its callout was recalled. */
@Entity('recalled_calls')
@Index('recalled_calls_phone_call_id_recall_id_key', ['phone_call_id', 'recall_id'], { unique: true })
@Index('recalled_calls_recall_id', ['recall_id'])
@Index('recalled_calls_due_at', ['due_at', 'id'], { where: `"due_at" IS NOT NULL` })
export class RecalledCall {
  @IdColumn()
  id!: number;

  @ForeignKeyColumn(() => Recall, 'recalled_calls_recall_id_fkey')
  recall_id!: number;

  @ForeignKeyColumn(() => PhoneCall, 'recalled_calls_phone_call_id_fkey')
  phone_call_id!: number;

  /** The provider's status of the call at the moment of the recall; null if it was not known. */
  @TextColumn({ nullable: true })
  remote_status!: string | null;

  /** When the provider is next asked to end the call; null if it need not be. */
  @OptionalTimestampColumn()
  due_at!: Date | null;

  /** How often the provider was asked. */
  @BigIntColumn({ defaultValue: 0 })
  tries!: number;

  /** Why the last request failed; null if it did not. */
  @TextColumn({ nullable: true })
  error!: string | null;
}
