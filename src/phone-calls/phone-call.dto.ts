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
   * The number to call, in any usual notation with the country code. Defaults to the participation's number.
   * @example "+85510202101"
   */
  @Optional()
  @IsMsisdn()
  msisdn?: string;

  /**
   * The call flow. If it is blank, the call flow of the participation or its callout applies.
   * @example "CallFlowLogic::Application"
   */
  @IsCallFlowLogic()
  call_flow_logic?: string | null;
}

export class CreatePhoneCallDto extends PhoneCallDto {
  /**
   * The parameters of the request to the provider: those of Twilio's create-call request, in snake case.
   * @example { "from": "2442" }
   */
  @Convert(readRemoteRequestParams)
  @Rule('isRemoteRequestParams', remoteRequestParamsError)
  remote_request_params!: Metadata;
}

export class UpdatePhoneCallDto extends PhoneCallDto {
  /**
   * The parameters of the request to the provider: those of Twilio's create-call request, in snake case. They replace
   * all earlier ones.
   * @example { "from": "2442" }
   */
  @Optional()
  @Convert(readRemoteRequestParams)
  @Rule('isRemoteRequestParams', remoteRequestParamsError)
  remote_request_params?: Metadata;
}

export class PhoneCallEventDto {
  /** The event. The status of the phone call decides whether it is possible. */
  @ApiProperty({ enum: Object.keys(phoneCallMachine), example: 'queue' })
  @IsIncludedIn(Object.keys(phoneCallMachine))
  event!: string;
}
