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

/** An attempt to call a person, or an inbound call. */
@Entity('phone_calls')
@Index('phone_calls_remote_call_id_key', ['remote_call_id'], { unique: true })
@Index('phone_calls_callout_participation_id', ['callout_participation_id', 'id'])
@Index('phone_calls_callout_id_status', ['callout_id', 'status', 'id'])
@Index('phone_calls_contact_id', ['contact_id'])
@Index('phone_calls_msisdn', ['msisdn'])
@Index('phone_calls_create_batch_operation_id', ['create_batch_operation_id'])
@Index('phone_calls_queue_batch_operation_id', ['queue_batch_operation_id'])
@Index('phone_calls_queue_remote_fetch_batch_operation_id', ['queue_remote_fetch_batch_operation_id'])
@Index('phone_calls_participation_attempt', ['callout_participation_id', 'attempt'], { unique: true })
@Index('phone_calls_created', ['id'], { where: `"status" = 'created'` })
@Index('phone_calls_remotely_queued_at', ['remotely_queued_at'])
@Index('phone_calls_rings', ['callout_id', 'dialled_at'], { where: `coalesce("remote_call_id", '') <> ''` })
@Index('phone_calls_to_dial', ['callout_id', 'id'], { where: `"status" = 'queued'` })
@Index('phone_calls_to_check', ['check_at'], { where: `"check_at" IS NOT NULL` })
@Index('phone_calls_handed_out', ['leased_until'], { where: `"leased_until" IS NOT NULL` })
export class PhoneCall {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /**
   * The participation that the attempt belongs to; null for an inbound call.
   * @example 1
   */
  @ForeignKeyColumn(() => CalloutParticipation, 'phone_calls_callout_participation_id_fkey', { nullable: true })
  callout_participation_id!: number | null;

  /**
   * The person; null for a caller with an unknown number.
   * @example 1
   */
  @ForeignKeyColumn(() => Contact, 'phone_calls_contact_id_fkey', { nullable: true })
  contact_id!: number | null;

  /** The batch operation that created it; null if no batch operation did. */
  @ForeignKeyColumn(() => BatchOperation, 'phone_calls_create_batch_operation_id_fkey', { nullable: true })
  create_batch_operation_id!: number | null;

  /** The batch operation that queued it; null if no batch operation did. */
  @ForeignKeyColumn(() => BatchOperation, 'phone_calls_queue_batch_operation_id_fkey', { nullable: true })
  queue_batch_operation_id!: number | null;

  /** The batch operation that last requested to fetch its state from the provider. */
  @ForeignKeyColumn(() => BatchOperation, 'phone_calls_queue_remote_fetch_batch_operation_id_fkey', { nullable: true })
  queue_remote_fetch_batch_operation_id!: number | null;

  /** The status. Events, workers and the provider's webhooks change it. */
  @ApiProperty({ enum: phoneCallStatuses, example: 'created' })
  @TextColumn()
  status!: PhoneCallStatus;

  /**
   * The called number in E.164 format: the participation's, unless the client gave another. For an inbound call, the
   * caller's number, or what the provider sends instead, such as `Anonymous`.
   * @example "+85510202101"
   */
  @TextColumn()
  msisdn!: string;

  /** The provider's id of the call. */
  @TextColumn({ nullable: true })
  remote_call_id!: string | null;

  /**
   * The provider's status of the call.
   * @example "completed"
   */
  @TextColumn({ nullable: true })
  remote_status!: string | null;

  /**
   * The provider's direction of the call: `outbound-api` or `inbound`.
   * @example "outbound-api"
   */
  @TextColumn({ nullable: true })
  remote_direction!: string | null;

  /** Why the call could not be placed, or what is unknown about it. */
  @TextColumn({ nullable: true })
  remote_error_message!: string | null;

  /** Further data of the client. */
  @JsonColumn()
  metadata!: Metadata;

  /** The provider's response to the last request for the state of the call. */
  @JsonColumn()
  remote_response!: Metadata;

  /**
   * The parameters of the request to the provider, in snake case.
   * @example { "from": "2442" }
   */
  @JsonColumn()
  remote_request_params!: Metadata;

  /** The provider's response to the request to place the call. */
  @JsonColumn()
  remote_queue_response!: Metadata;

  /**
   * The call flow: its own, or else that of its participation or callout.
   * @example "CallFlowLogic::Application"
   */
  @TextColumn({ nullable: true })
  call_flow_logic!: string | null;

  /** When the provider accepted it. */
  @OptionalTimestampColumn()
  remotely_queued_at!: Date | null;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /** The number of the attempt of a dial plan: 1, 2…; null for a call that a client or a batch operation created. */
  @BigIntColumn({ nullable: true })
  attempt!: number | null;

  /** When it ended; null if it has not ended. */
  @OptionalTimestampColumn()
  ended_at!: Date | null;

  /** The callout of its participation. Dialing selects calls by this column. */
  @ForeignKeyColumn(() => Callout, 'phone_calls_callout_id_fkey', { nullable: true })
  callout_id!: number | null;

  /** Identifies the current claim. A process that holds another token has lost its claim. */
  @TextColumn({ nullable: true })
  lease_token!: string | null;

  /** Until when no other process may dial it, because it is reserved or claimed. */
  @OptionalTimestampColumn()
  leased_until!: Date | null;

  /** Until when it cannot be reserved after the provider refused it without an effect. */
  @OptionalTimestampColumn()
  postponed_until!: Date | null;

  /** The time just before the request to the provider was sent. */
  @OptionalTimestampColumn()
  dialled_at!: Date | null;

  /** How often the provider has refused it without an effect since it was queued. */
  @BigIntColumn({ defaultValue: 0 })
  refusals!: number;

  /** The provider's error code, if it refused the call. */
  @TextColumn({ nullable: true })
  refusal_code!: string | null;

  /** The highest `SequenceNumber` of its webhooks. */
  @BigIntColumn({ nullable: true })
  sequence_number!: number | null;

  /** When its state is looked up at the provider, unless a webhook arrives before. */
  @OptionalTimestampColumn()
  check_at!: Date | null;

  /** How many lookups were reserved since the provider last reported something new. */
  @BigIntColumn({ defaultValue: 0 })
  checks!: number;

  /** The state of its call flow; null before the call flow has started. */
  @OptionalJsonColumn()
  call_flow_state!: CallFlowState | null;
}
