import { ApiProperty } from '@nestjs/swagger';
import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsIncludedIn } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';
import { calloutMachine } from './callout.machine.js';

export class CalloutDto extends MetadataDto {
  /**
   * What is said to the people who are called; blank for the default of the installation.
   * @example "CallFlowLogic::Application"
   */
  @IsCallFlowLogic()
  call_flow_logic?: string | null;
}

export class CalloutEventDto {
  /** What is to happen: possible or not, as the callout stands. */
  @ApiProperty({ enum: Object.keys(calloutMachine), example: 'start' })
  @IsIncludedIn(Object.keys(calloutMachine))
  event!: string;
}
