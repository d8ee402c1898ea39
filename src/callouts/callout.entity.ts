import { ApiHideProperty, ApiProperty } from '@nestjs/swagger';
import { Entity } from 'typeorm';
import { Id, JsonObject, OptionalTimestamp, Text, Timestamp } from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import { type CalloutStatus, calloutStatuses } from './callout.machine.js';

/** A campaign: a number of contacts to be called for one purpose. */
@Entity('callouts')
export class Callout {
  /** @example 1 */
  @Id()
  id!: number;

  /** Where the callout stands; moved by its events alone. */
  @ApiProperty({ enum: calloutStatuses, example: 'initialized' })
  @Text()
  status!: CalloutStatus;

  /**
   * What is said to the people who are called. Null: the default of the installation.
   * @example "CallFlowLogic::Application"
   */
  @Text({ nullable: true })
  call_flow_logic!: string | null;

  /** Whatever else is to be kept with it. */
  @JsonObject()
  metadata!: Metadata;

  @Timestamp()
  created_at!: Date;

  @Timestamp()
  updated_at!: Date;

  /** When it was stopped; null unless it is. */
  @ApiHideProperty()
  @OptionalTimestamp()
  stopped_at!: Date | null;
}
