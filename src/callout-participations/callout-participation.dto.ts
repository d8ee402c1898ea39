import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsAnything, IsMsisdn, Optional } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';

export class UpdateCalloutParticipationDto extends MetadataDto {
  /**
   * The number to call, in any usual spelling with its country code. A new participation to which none is given has the contact's.
   * @example "+85510202101"
   */
  @Optional()
  @IsMsisdn()
  msisdn?: string;

  /**
   * What is said to this person; blank for what the callout says.
   * @example "CallFlowLogic::Application"
   */
  @IsCallFlowLogic()
  call_flow_logic?: string | null;
}

export class CreateCalloutParticipationDto extends UpdateCalloutParticipationDto {
  /**
   * The contact who takes part.
   * @example 2
   */
  @IsAnything()
  contact_id!: number;
}
