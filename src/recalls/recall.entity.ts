import { Entity, Index } from 'typeorm';
import { Callout } from '../callouts/callout.entity.js';
import { BigIntColumn, ForeignKeyColumn, IdColumn, TextColumn, TimestampColumn } from '../database/columns.js';
import type { EndStatus } from '../telephony/end-status.js';

/** What made the program recall the calls of a callout. */
export type RecallReason = 'stop' | 'pause' | 'expiry';

/** A request to end the calls of a callout that the provider has, and the state of the callout at that moment. */
@Entity('recalls')
@Index('recalls_callout_id', ['callout_id', 'id'])
export class Recall {
  @IdColumn()
  id!: number;

  @ForeignKeyColumn(() => Callout, 'recalls_callout_id_fkey')
  callout_id!: number;

  @TextColumn()
  reason!: RecallReason;

  /** What the provider is asked for: `canceled` ends calls that nobody has answered, `completed` ends all. */
  @TextColumn()
  end_status!: EndStatus;

  /** Who requested it; null for the system and for clients without a name. */
  @TextColumn({ nullable: true })
  requested_by!: string | null;

  @TimestampColumn()
  requested_at!: Date;

  /** How many people took part in the callout. */
  @BigIntColumn()
  people!: number;

  /** How many of them had no call under way, and none to come. */
  @BigIntColumn()
  done_before!: number;
}
