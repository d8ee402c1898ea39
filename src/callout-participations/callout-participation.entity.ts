import { ApiProperty } from '@nestjs/swagger';
import { Entity, Index } from 'typeorm';
import { BatchOperation } from '../batch-operations/batch-operation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
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
import { type Outcome, type WaitingReason, outcomes, waitingReasons } from '../outcomes/outcome-names.js';

/** A contact's part in a callout. Neither a contact nor a phone number takes part twice. */
@Entity('callout_participations')
@Index('callout_participations_callout_id_contact_id_key', ['callout_id', 'contact_id'], { unique: true })
@Index('callout_participations_callout_id_msisdn_key', ['callout_id', 'msisdn'], { unique: true })
@Index('callout_participations_callout_id', ['callout_id', 'id'])
@Index('callout_participations_contact_id', ['contact_id'])
@Index('callout_participations_callout_population_id', ['callout_population_id'])
@Index('callout_participations_callout_id_outcome', ['callout_id', 'outcome', 'id'])
@Index('callout_participations_due', ['callout_id', 'next_call_at', 'id'], {
  where: `"outcome" IN ('waiting', 'retrying')`,
})
@Index('callout_participations_first_call_at', ['callout_id', 'first_call_at', 'id'], {
  where: `"first_call_at" IS NOT NULL`,
})
export class CalloutParticipation {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /** @example 1 */
  @ForeignKeyColumn(() => Callout, 'callout_participations_callout_id_fkey')
  callout_id!: number;

  /** @example 1 */
  @ForeignKeyColumn(() => Contact, 'callout_participations_contact_id_fkey')
  contact_id!: number;

  /**
   * The batch operation that added the participation; null if a client added it.
   * @example 1
   */
  @ForeignKeyColumn(() => BatchOperation, 'callout_participations_callout_population_id_fkey', { nullable: true })
  callout_population_id!: number | null;

  /**
   * The number to call in E.164. By default, it is the contact's.
   * @example "+85510202101"
   */
  @TextColumn()
  msisdn!: string;

  /**
   * The call flow: what is said to this person. By default, it is the callout's.
   * @example "CallFlowLogic::Application"
   */
  @TextColumn({ nullable: true })
  call_flow_logic!: string | null;

  /** Any further data. */
  @JsonColumn()
  metadata!: Metadata;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /**
   * What came of the calls to the person. Open: `waiting` (not called yet), `calling` (a call is queued or under way),
   * `retrying` (will be called again). Reached: `confirmed`, `answered`. Not reached: what the last call came to. Not
   * called: `opted_out`, `canceled`, `expired`.
   */
  @ApiProperty({ enum: outcomes, example: 'waiting' })
  @TextColumn({ defaultValue: 'waiting' })
  outcome!: Outcome;

  /** How many phone calls to the person were dialed. */
  @BigIntColumn({ defaultValue: 0 })
  attempts!: number;

  /**
   * What the next call of a dial plan waits for: its `turn`, a call `window`, or the `budget` of the number. Null: it
   * waits for nothing but its time, or there is no next call.
   */
  @ApiProperty({ enum: [...waitingReasons, null], nullable: true, type: String })
  @TextColumn({ nullable: true })
  waiting_for!: WaitingReason | null;

  /** When the next call of a dial plan may be made; null if there is none, or it may be made at once. */
  @OptionalTimestampColumn()
  next_call_at!: Date | null;

  /** When a phone call was last dialed; null if none was. */
  @OptionalTimestampColumn()
  last_call_at!: Date | null;

  /** When a phone call was first dialed; null if none was. */
  @OptionalTimestampColumn()
  first_call_at!: Date | null;
}
