import { ApiProperty } from '@nestjs/swagger';
import { Entity, Index } from 'typeorm';
import {
  BigIntColumn,
  IdColumn,
  JsonColumn,
  OptionalJsonColumn,
  OptionalTimestampColumn,
  TextColumn,
  TimestampColumn,
} from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';
import * as schemas from './callout-schemas.js';
import { type CalloutStatus, calloutStatuses } from './callout.machine.js';
import { type CalloutPriority, calloutPriorities } from './callout-priority.js';

/** A campaign: contacts to be called for one purpose. */
@Entity('callouts')
@Index('callouts_scheduled', ['starts_at'], { where: `"status" = 'scheduled'` })
@Index('callouts_running', ['id'], { where: `"status" = 'running'` })
@Index('callouts_expires_at', ['expires_at'], {
  where: `"expires_at" IS NOT NULL AND "status" NOT IN ('stopped', 'completed')`,
})
@Index('callouts_priority', ['priority', 'id'], { where: `"priority" <> 'normal'` })
@Index('callouts_outcomes_cursor', ['id'], { where: `"outcomes_cursor" IS NOT NULL` })
export class Callout {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /**
   * The status. Events change it. The program begins a `scheduled` callout at its `starts_at`, completes one with a
   * dial plan when nobody is left to be called, and pauses one whose calls the provider refuses.
   */
  @ApiProperty({ enum: calloutStatuses, example: 'initialized' })
  @TextColumn()
  status!: CalloutStatus;

  /**
   * The call flow: what is said to the people who are called. Null selects the default of the installation.
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

  /** Which callouts are dialed first: `emergency` before all others, `low` after all others. */
  @ApiProperty({ enum: calloutPriorities, example: 'normal' })
  @TextColumn({ defaultValue: 'normal' })
  priority!: CalloutPriority;

  /** Who is called: the parameters of the population that `start` and `resume` run; null for none. */
  @ApiProperty(schemas.audience)
  @OptionalJsonColumn()
  audience!: Metadata | null;

  /** How the people are called; null if batch operations or clients make the calls. */
  @ApiProperty(schemas.dialPlan)
  @OptionalJsonColumn()
  dial_plan!: Metadata | null;

  /** When the callout starts by itself after `start`; null for at once. */
  @OptionalTimestampColumn()
  starts_at!: Date | null;

  /** From when on nobody is dialed; null for never. */
  @OptionalTimestampColumn()
  expires_at!: Date | null;

  /**
   * Why the system paused the callout; null if it did not. Resuming or stopping the callout clears it.
   * @example "The provider refuses calls because of a setting: Url is not a valid URL (21205)."
   */
  @TextColumn({ nullable: true })
  held_because!: string | null;

  /** When the callout ran for the first time; null if it has not run. */
  @OptionalTimestampColumn()
  started_at!: Date | null;

  /** When the callout was stopped; null if it is not stopped. */
  @OptionalTimestampColumn()
  stopped_at!: Date | null;

  /** When the callout completed; null if it is not completed. */
  @OptionalTimestampColumn()
  completed_at!: Date | null;

  /** The provider's error code for which the callout was last held. A resumption after a passed trial clears it. */
  @TextColumn({ nullable: true })
  held_code!: string | null;

  /** When the callout was last created, started or resumed, which begins its trial. Null: created before trials. */
  @OptionalTimestampColumn()
  trial_began_at!: Date | null;

  /** When the provider did not refuse a dial, so that the trial ended; null while the trial lasts. */
  @OptionalTimestampColumn()
  trial_ended_at!: Date | null;

  /** The provider's error code for all refused dials of the trial; null if there are none. */
  @TextColumn({ nullable: true })
  trial_code!: string | null;

  /** How many dials of the trial the provider refused. */
  @BigIntColumn({ defaultValue: 0 })
  trial_refusals!: number;

  /**
   * The participations with greater ids may have the outcomes from before the callout was last stopped or resumed; null
   * if none has.
   */
  @BigIntColumn({ nullable: true })
  outcomes_cursor!: number | null;

  /**
   * The population of an audience with `keep_adding` that was queued when nobody was left to be called. If it adds
   * nobody, the callout is completed. Null while somebody is left.
   */
  @BigIntColumn({ nullable: true })
  last_population_id!: number | null;
}
