import { ApiProperty } from '@nestjs/swagger';
import { Convert } from '../api/converters.js';
import { IsCallFlowLogic } from '../call-flows/is-call-flow-logic.js';
import { IsIncludedIn, IsMsisdn, Optional, Rule } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';
import type { Metadata } from '../metadata/metadata.js';
import { phoneCallMachine } from './phone-call.machine.js';
import { readRemoteRequestParams, remoteRequestParamsError } from './remote-request-params.js';

abstract class PhoneCallDto extends MetadataDto {
  /**
   * The number to call, in any usual spelling with its country code. When it is not given: the participation's.
   * @example "+85510202101"
   */
  @Optional()
  @IsMsisdn()
  msisdn?: string;

  /**
   * What is said; blank for what the participation or its callout says.
   * @example "CallFlowLogic::Application"
   */
  @IsCallFlowLogic()
  call_flow_logic?: string | null;
}

export class CreatePhoneCallDto extends PhoneCallDto {
  /**
   * What the provider is asked for: Twilio's parameters of a call, in snake case.
   * @example { "from": "2442" }
   */
  @Convert(readRemoteRequestParams)
  @Rule('isRemoteRequestParams', remoteRequestParamsError)
  remote_request_params!: Metadata;
}

export class UpdatePhoneCallDto extends PhoneCallDto {
  /**
   * What the provider is asked for: Twilio's parameters of a call, in snake case; replaced as a whole.
   * @example { "from": "2442" }
   */
  @Optional()
  @Convert(readRemoteRequestParams)
  @Rule('isRemoteRequestParams', remoteRequestParamsError)
  remote_request_params?: Metadata;
}

export class PhoneCallEventDto {
  /** What is to happen: possible or not, as the phone call stands. */
  @ApiProperty({ enum: Object.keys(phoneCallMachine), example: 'queue' })
  @IsIncludedIn(Object.keys(phoneCallMachine))
  event!: string;
}
