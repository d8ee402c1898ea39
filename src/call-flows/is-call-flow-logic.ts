import { applyDecorators } from '@nestjs/common';
import { IsIncludedIn, Nullable } from '../api/rules.js';
import { callFlowNames } from './call-flow.names.js';

/** An optional name of a call flow. A blank value is converted to null. */
export function IsCallFlowLogic(): PropertyDecorator {
  return applyDecorators(Nullable(), IsIncludedIn(callFlowNames)) as PropertyDecorator;
}
