import { Entity, Index } from 'typeorm';
import { BatchOperation } from '../batch-operations/batch-operation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { ForeignKeyColumn, IdColumn, JsonColumn, TextColumn, TimestampColumn } from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';

/** A contact's part in a callout. Neither a contact nor a phone number takes part twice. */
@Entity('callout_participations')
@Index('callout_participations_callout_id_contact_id_key', ['callout_id', 'contact_id'], { unique: true })
@Index('callout_participations_callout_id_msisdn_key', ['callout_id', 'msisdn'], { unique: true })
@Index('callout_participations_callout_id', ['callout_id', 'id'])
@Index('callout_participations_contact_id', ['contact_id'])
@Index('callout_participations_callout_population_id', ['callout_population_id'])
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
}
