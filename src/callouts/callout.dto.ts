import { ApiProperty } from '@nestjs/swagger';
import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsIncludedIn, IsTime, Optional } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';
import type { Metadata } from '../metadata/metadata.js';
import { IsAudience } from './audience.js';
import { type CalloutPriority, calloutPriorities } from './callout-priority.js';
import { calloutMachine } from './callout.machine.js';
import { IsDialPlan } from './is-dial-plan.js';

export class CalloutDto extends MetadataDto {
  /**
   * The call flow: what is said to the people who are called. A blank value selects the default of the installation.
   * @example "CallFlowLogic::Application"
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
   * Who is called: `start` and `resume` run a population with these parameters. `keep_adding` runs it again every
   * minute while the callout runs. Replaced as a whole. A blank value is null: nobody is added.
   * @example { "contact_filter_params": { "metadata": { "province": "Pursat" } }, "keep_adding": true }
   */
  @IsAudience()
  audience?: Metadata | null;

  /**
   * How the people are called. Replaced as a whole. A blank value is null: batch operations or clients make the calls.
   * @example { "remote_request_params": { "from": "2442" }, "max_attempts": 3 }
   */
  @IsDialPlan()
  dial_plan?: Metadata | null;

  /**
   * When the callout starts by itself after `start`: an ISO 8601 date or timestamp, in UTC unless it has a zone. A
   * blank value is null: at once.
   * @example "2026-12-01T08:00:00.000Z"
   */
  @IsTime()
  starts_at?: string | null;

  /**
   * From when on nobody is dialed: an ISO 8601 date or timestamp in the future, in UTC unless it has a zone. A blank
   * value is null: never.
   * @example "2026-12-01T20:00:00.000Z"
   */
  @IsTime()
  expires_at?: string | null;
}

export class CalloutEventDto {
  /** The event. Whether it is allowed depends on the status of the callout. */
  @ApiProperty({ enum: Object.keys(calloutMachine), example: 'start' })
  @IsIncludedIn(Object.keys(calloutMachine))
  event!: string;
}
