import { ApiProperty } from '@nestjs/swagger';
import { Entity, Index } from 'typeorm';
import { BatchOperation } from '../batch-operations/batch-operation.entity.js';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import type { CallFlowState } from '../call-flows/call-flow-state.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import {
  BigIntColumn,
  ForeignKeyColumn,
  IdColumn,
  JsonColumn,
  OptionalJsonColumn,
  OptionalTimestampColumn,
  TextColumn,
  TimestampColumn,
} from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import { type PhoneCallStatus, phoneCallStatuses } from './phone-call.machine.js';

/** One attempt to call a person, or one call of a person to us. */
@Entity('phone_calls')
@Index('phone_calls_remote_call_id_key', ['remote_call_id'], { unique: true })
@Index('phone_calls_callout_participation_id', ['callout_participation_id', 'id'])
@Index('phone_calls_callout_id_status', ['callout_id', 'status', 'id'])
@Index('phone_calls_contact_id', ['contact_id'])
@Index('phone_calls_msisdn', ['msisdn'])
@Index('phone_calls_create_batch_operation_id', ['create_batch_operation_id'])
@Index('phone_calls_queue_batch_operation_id', ['queue_batch_operation_id'])
@Index('phone_calls_queue_remote_fetch_batch_operation_id', ['queue_remote_fetch_batch_operation_id'])
@Index('phone_calls_created', ['id'], { where: `"status" = 'created'` })
@Index('phone_calls_remotely_queued_at', ['remotely_queued_at'])
@Index('phone_calls_to_dial', ['callout_id', 'id'], { where: `"status" = 'queued'` })
@Index('phone_calls_to_check', ['check_at'], { where: `"check_at" IS NOT NULL` })
@Index('phone_calls_handed_out', ['leased_until'], { where: `"leased_until" IS NOT NULL` })
export class PhoneCall {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /**
   * The participation that it is an attempt of; null for a call of a person to us.
   * @example 1
   */
  @ForeignKeyColumn(() => CalloutParticipation, 'phone_calls_callout_participation_id_fkey', { nullable: true })
  callout_participation_id!: number | null;

  /**
   * The person; null for a caller whose number is not known.
   * @example 1
   */
  @ForeignKeyColumn(() => Contact, 'phone_calls_contact_id_fkey', { nullable: true })
  contact_id!: number | null;

  /** The batch operation that made it; null when it was made by hand. */
  @ForeignKeyColumn(() => BatchOperation, 'phone_calls_create_batch_operation_id_fkey', { nullable: true })
  create_batch_operation_id!: number | null;

  /** The batch operation that queued it; null when it was queued by hand. */
  @ForeignKeyColumn(() => BatchOperation, 'phone_calls_queue_batch_operation_id_fkey', { nullable: true })
  queue_batch_operation_id!: number | null;

  /** The batch operation that asked to fetch what became of it. */
  @ForeignKeyColumn(() => BatchOperation, 'phone_calls_queue_remote_fetch_batch_operation_id_fkey', { nullable: true })
  queue_remote_fetch_batch_operation_id!: number | null;

  /** Where it stands; moved by its events, by the worker and by the provider's webhooks. */
  @ApiProperty({ enum: phoneCallStatuses, example: 'created' })
  @TextColumn()
  status!: PhoneCallStatus;

  /**
   * The number that is called, as E.164: the participation's, unless another was given. Of a person who calls in: their number, or what the
   * provider says in its place, such as `Anonymous`.
   * @example "+85510202101"
   */
  @TextColumn()
  msisdn!: string;

  /** The provider's id of the call. */
  @TextColumn({ nullable: true })
  remote_call_id!: string | null;

  /**
   * The provider's status of the call, in its own words.
   * @example "completed"
   */
  @TextColumn({ nullable: true })
  remote_status!: string | null;

  /**
   * `outbound-api` or `inbound`, as the provider says.
   * @example "outbound-api"
   */
  @TextColumn({ nullable: true })
  remote_direction!: string | null;

  /** Why the call could not be placed, or what is not known of it. */
  @TextColumn({ nullable: true })
  remote_error_message!: string | null;

  /** Whatever else is to be kept with it. */
  @JsonColumn()
  metadata!: Metadata;

  /** What the provider answered when it was last asked what became of the call. */
  @JsonColumn()
  remote_response!: Metadata;

  /**
   * What the provider is asked for: its parameters, in snake case.
   * @example { "from": "2442" }
   */
  @JsonColumn()
  remote_request_params!: Metadata;

  /** What the provider answered when it was asked to place the call. */
  @JsonColumn()
  remote_queue_response!: Metadata;

  /**
   * What is said: its own, or else its participation's or callout's.
   * @example "CallFlowLogic::Application"
   */
  @TextColumn({ nullable: true })
  call_flow_logic!: string | null;

  /** When the provider took it. */
  @OptionalTimestampColumn()
  remotely_queued_at!: Date | null;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /** Its participation's callout, kept here so that calls can be handed out callout by callout. */
  @ForeignKeyColumn(() => Callout, 'phone_calls_callout_id_fkey', { nullable: true })
  callout_id!: number | null;

  /** Names the dial that is under way; whoever holds another token has lost the call. */
  @TextColumn({ nullable: true })
  lease_token!: string | null;

  /** Until when nobody else may dial it: it is handed out, being dialled, or was refused a moment ago. */
  @OptionalTimestampColumn()
  leased_until!: Date | null;

  /** When the request to the provider was about to be sent. */
  @OptionalTimestampColumn()
  dialled_at!: Date | null;

  /** How often the provider has refused it without acting on it, since it was queued. */
  @BigIntColumn({ defaultValue: 0 })
  refusals!: number;

  /** The provider's code, if it refused the call. */
  @TextColumn({ nullable: true })
  refusal_code!: string | null;

  /** The `SequenceNumber` of the newest webhook that moved it. */
  @BigIntColumn({ nullable: true })
  sequence_number!: number | null;

  /** When the provider is to be asked what became of it, unless it says so before. */
  @OptionalTimestampColumn()
  check_at!: Date | null;

  /** How often the provider has been asked in vain. */
  @BigIntColumn({ defaultValue: 0 })
  checks!: number;

  /** Where it stands in its call flow; null before anything was said that hangs on it. */
  @OptionalJsonColumn()
  call_flow_state!: CallFlowState | null;
}
