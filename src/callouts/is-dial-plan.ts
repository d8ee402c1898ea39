import { applyDecorators } from '@nestjs/common';
import { Convert } from '../api/converters.js';
import { Nullable, Rule } from '../api/rules.js';
import { dialPlanErrors, readGivenDialPlan } from '../dial-plans/dial-plan-errors.js';
import { joinMessages } from '../errors/errors.js';
import { readRemoteRequestParams, remoteRequestParamsError } from '../phone-calls/remote-request-params.js';

const params = { read: readRemoteRequestParams, error: remoteRequestParamsError };

/** An optional dial plan. A blank value is converted to null. */
export function IsDialPlan(): PropertyDecorator {
  return applyDecorators(
    Nullable(),
    Convert((value) => (value === null ? null : readGivenDialPlan(value, params))),
    Rule('isDialPlan', (value) => joinMessages(dialPlanErrors(value, params))),
  ) as PropertyDecorator;
}
