import { ApiProperty } from '@nestjs/swagger';
import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsBoolean, IsIncludedIn, IsTime, Optional } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';
import type { Metadata } from '../metadata/metadata.js';
import { IsAudience } from './audience.js';
import { type CalloutPriority, calloutPriorities } from './callout-priority.js';
import * as schemas from './callout-schemas.js';
import { calloutMachine } from './callout.machine.js';
import { IsDialPlan } from './is-dial-plan.js';

export class CalloutDto extends MetadataDto {
  /**
   * Data of your own, and the texts of the call flow: any JSON object.
   * @example { "message": "The river is rising. Please go to higher ground now." }
   */
  declare metadata?: Metadata;

  /**
   * The call flow: what is said to the people who are called. A blank value selects the default of the installation.
   * @example "CallFlowLogic::PlayMessage"
   */
  @IsCallFlowLogic()
  call_flow_logic?: string | null;

  /**
   * Which callouts are dialed first: the calls of `emergency` callouts go before all others, those of `low` ones after
   * all others.
   */
  @ApiProperty({ enum: calloutPriorities, default: 'normal', required: false })
  @Optional()
  @IsIncludedIn(calloutPriorities)
  priority?: CalloutPriority;

  /**
   * Who is called: `start` and `resume` run a population with these parameters. An update replaces it as a whole. A
   * blank value is null: nobody is added.
   */
  @ApiProperty({ ...schemas.audience, selfRequired: false })
  @IsAudience()
  audience?: Metadata | null;

  /**
   * How the people are called. An update replaces it as a whole. A blank value is null: batch operations or clients
   * make the calls.
   */
  @ApiProperty({ ...schemas.dialPlan, selfRequired: false })
  @IsDialPlan()
  dial_plan?: Metadata | null;

  /**
   * When the callout starts by itself after `start`: an ISO 8601 date or timestamp, in UTC unless it has a zone. A
   * blank value is null: at once.
   * @example "2099-06-01T01:00:00.000Z"
   */
  @IsTime()
  starts_at?: string | null;

  /**
   * From when on nobody is dialed: an ISO 8601 date or timestamp in the future, in UTC unless it has a zone. A blank
   * value is null: never.
   * @example "2099-06-02T13:00:00.000Z"
   */
  @IsTime()
  expires_at?: string | null;
}

export class CalloutEventDto {
  /**
   * The event. Whether it is allowed depends on the status of the callout. `start` and `resume` also add the audience.
   * `start` leads to `scheduled` if `starts_at` lies ahead, and starts a scheduled callout now.
   */
  @ApiProperty({ enum: Object.keys(calloutMachine), example: 'start' })
  @IsIncludedIn(Object.keys(calloutMachine))
  event!: string;

  /**
   * With `pause`: whether the provider is asked to end the calls that are queued or ringing there. `stop` always does.
   * The people are called again after `resume`, if the callout has a dial plan.
   */
  @ApiProperty({ type: Boolean, default: false, required: false })
  @IsBoolean()
  recall?: boolean;

  /** With `stop`, and with `pause` and `recall`: whether conversations are ended, too. */
  @ApiProperty({ type: Boolean, default: false, required: false })
  @IsBoolean()
  hang_up?: boolean;
}
