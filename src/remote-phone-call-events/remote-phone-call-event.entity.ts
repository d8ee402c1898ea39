import { ApiHideProperty } from '@nestjs/swagger';
import { Entity, Index } from 'typeorm';
import { Id, JsonObject, Reference, Text, Timestamp } from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';

/** What the provider told us of a call, once, and whole. */
@Entity('remote_phone_call_events')
@Index('remote_phone_call_events_delivery_key', ['delivery'], { unique: true })
@Index('remote_phone_call_events_phone_call_id', ['phone_call_id'])
export class RemotePhoneCallEvent {
  /** @example 1 */
  @Id()
  id!: number;

  /** @example 1 */
  @Reference(() => PhoneCall, 'remote_phone_call_events_phone_call_id_fkey')
  phone_call_id!: number;

  /**
   * The whole webhook, as received.
   * @example { "CallSid": "CA0123456789abcdef0123456789abcdef", "CallStatus": "completed" }
   */
  @JsonObject()
  details!: Metadata;

  /** Whatever else is to be kept with it. */
  @JsonObject()
  metadata!: Metadata;

  /**
   * The provider's id of the call.
   * @example "CA0123456789abcdef0123456789abcdef"
   */
  @Text()
  remote_call_id!: string;

  /**
   * `outbound-api` or `inbound`, as the provider says.
   * @example "outbound-api"
   */
  @Text({ nullable: true })
  remote_direction!: string | null;

  /**
   * The call flow that answered it.
   * @example "CallFlowLogic::Application"
   */
  @Text()
  call_flow_logic!: string;

  @Timestamp()
  created_at!: Date;

  @Timestamp()
  updated_at!: Date;

  /** The same for each delivery of one event. */
  @ApiHideProperty()
  @Text()
  delivery!: string;

  /** The TwiML that was answered; a repeated delivery gets the same. */
  @ApiHideProperty()
  @Text()
  twiml!: string;
}
