import { Entity, Index } from 'typeorm';
import { ForeignKeyColumn, IdColumn, JsonColumn, TextColumn, TimestampColumn } from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';

/** A webhook of the provider about a call, stored once and complete. */
@Entity('remote_phone_call_events')
@Index('remote_phone_call_events_delivery_key', ['delivery'], { unique: true })
@Index('remote_phone_call_events_phone_call_id', ['phone_call_id'])
export class RemotePhoneCallEvent {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /** @example 1 */
  @ForeignKeyColumn(() => PhoneCall, 'remote_phone_call_events_phone_call_id_fkey')
  phone_call_id!: number;

  /**
   * All parameters of the webhook, as received.
   * @example { "CallSid": "CA0123456789abcdef0123456789abcdef", "CallStatus": "completed" }
   */
  @JsonColumn()
  details!: Metadata;

  /** Any further data. */
  @JsonColumn()
  metadata!: Metadata;

  /**
   * The provider's id of the call.
   * @example "CA0123456789abcdef0123456789abcdef"
   */
  @TextColumn()
  remote_call_id!: string;

  /**
   * The direction of the call, from the provider: `outbound-api` or `inbound`.
   * @example "outbound-api"
   */
  @TextColumn({ nullable: true })
  remote_direction!: string | null;

  /**
   * The call flow that answered it.
   * @example "CallFlowLogic::Application"
   */
  @TextColumn()
  call_flow_logic!: string;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /** The key of the event. Every delivery of the same event has the same key. */
  @TextColumn()
  delivery!: string;

  /** The reply. A repeated delivery gets the same one. */
  @TextColumn()
  twiml!: string;
}
