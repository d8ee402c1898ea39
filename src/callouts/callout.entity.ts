import { ApiProperty } from '@nestjs/swagger';
import { Entity } from 'typeorm';
import {
  BigIntColumn,
  IdColumn,
  JsonColumn,
  OptionalTimestampColumn,
  TextColumn,
  TimestampColumn,
} from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import { type CalloutStatus, calloutStatuses } from './callout.machine.js';

/** A campaign: a number of contacts to be called for one purpose. */
@Entity('callouts')
export class Callout {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /** Where the callout stands; moved by its events alone. */
  @ApiProperty({ enum: calloutStatuses, example: 'initialized' })
  @TextColumn()
  status!: CalloutStatus;

  /**
   * What is said to the people who are called. Null: the default of the installation.
   * @example "CallFlowLogic::Application"
   */
  @TextColumn({ nullable: true })
  call_flow_logic!: string | null;

  /** Whatever else is to be kept with it. */
  @JsonColumn()
  metadata!: Metadata;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;

  /**
   * Why the system paused it; null unless it did. Resuming or stopping the callout clears this.
   * @example "The provider refuses calls because of a setting: Url is not a valid URL (21205)."
   */
  @TextColumn({ nullable: true })
  held_because!: string | null;

  /** The provider's code for which it was held last; null once the provider takes its calls. */
  @TextColumn({ nullable: true })
  held_code!: string | null;

  /** Since when it is on trial: from its start or resumption until a dial is not refused. Null: it is not. */
  @OptionalTimestampColumn()
  trial_began_at!: Date | null;

  /** The code with which the provider refused all dials of the trial so far. */
  @TextColumn({ nullable: true })
  trial_code!: string | null;

  /** How many dials of the trial the provider has refused. */
  @BigIntColumn({ defaultValue: 0 })
  trial_refusals!: number;

  /** When it was stopped; null unless it is. */
  @OptionalTimestampColumn()
  stopped_at!: Date | null;
}
