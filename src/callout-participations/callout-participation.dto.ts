import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsAnything, IsMsisdn, Optional } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';

export class UpdateCalloutParticipationDto extends MetadataDto {
  /**
   * The number to call, with its country code, in any usual spelling. By default, a new participation has the contact's
   * number.
   * @example "+85510202101"
   */
  @Optional()
  @IsMsisdn()
  msisdn?: string;

  /**
   * The call flow: what is said to this person. A blank value selects the callout's.
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
