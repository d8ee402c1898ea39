import { applyDecorators } from '@nestjs/common';
import { ValidateIf } from 'class-validator';
import { Convert } from '../api/converters.js';
import { IsIncludedIn } from '../api/rules.js';
import { isBlank } from '../metadata/client-values.js';
import { callFlowNames } from './call-flow.names.js';

/** An optional name of a call flow. A blank value is converted to null. */
export function IsCallFlowLogic(): PropertyDecorator {
  return applyDecorators(
    Convert((value) => (isBlank(value) ? null : value)),
    ValidateIf((_, value) => value !== undefined && value !== null),
    IsIncludedIn(callFlowNames),
  ) as PropertyDecorator;
}
