import { ApiProperty } from '@nestjs/swagger';
import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsIncludedIn } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';
import { calloutMachine } from './callout.machine.js';

export class CalloutDto extends MetadataDto {
  /**
   * The call flow: what is said to the people who are called. A blank value selects the default of the installation.
   * @example "CallFlowLogic::Application"
   */
  @IsCallFlowLogic()
  call_flow_logic?: string | null;
}

export class CalloutEventDto {
  /** The event. Whether it is allowed depends on the status of the callout. */
  @ApiProperty({ enum: Object.keys(calloutMachine), example: 'start' })
  @IsIncludedIn(Object.keys(calloutMachine))
  event!: string;
}
