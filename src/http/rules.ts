import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { type ValidationArguments, ValidateIf, registerDecorator } from 'class-validator';
import { callFlowNames } from '../call-flows/call-flow.names.js';
import { isJsonObject, mergeModes } from '../metadata/metadata.js';
import { toMsisdn } from '../phone-numbers/msisdn.js';
import { messages } from './errors.js';
import { Untouched } from './untouched.js';

// The rules of DTO properties, in the words of the contract.

/** What is wrong with a value, or undefined. */
type Check = (value: unknown) => string | undefined;

/** The property must pass `check`, whose words are the message. */
export function Rule(name: string, check: Check): PropertyDecorator {
  return (target, property) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value: unknown) => check(value) === undefined,
        defaultMessage: (args?: ValidationArguments) => check(args?.value) ?? '',
      },
    });
}

/** The rules of this property count only when it is given. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** Takes the value as it came. */
export function AsGiven(): PropertyDecorator {
  return Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => Untouched.unwrap(obj[key]));
}

/** A phone number in any usual spelling, read as E.164. */
export function IsMsisdn(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => toMsisdn(value) ?? value),
    Rule('isMsisdn', (value) => {
      if (isBlank(value)) return messages.blank;
      return toMsisdn(value) === value ? undefined : messages.invalidNumber;
    }),
  ) as PropertyDecorator;
}

export function IsJsonObject(): PropertyDecorator {
  return applyDecorators(
    IfGiven(),
    AsGiven(),
    Rule('isJsonObject', (value) => (isJsonObject(value) ? undefined : messages.mustBeObject)),
  ) as PropertyDecorator;
}

export function IsMergeMode(): PropertyDecorator {
  return applyDecorators(
    IfGiven(),
    Rule('isMergeMode', (value) => (mergeModes.some((mode) => mode === value) ? undefined : messages.notIncluded)),
  ) as PropertyDecorator;
}

/** The name of a call flow; a blank one takes it away. */
export function IsCallFlowLogic(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (isBlank(value) && value !== undefined ? null : value)),
    Rule('isCallFlowLogic', (value) =>
      value === undefined || value === null || callFlowNames.some((name) => name === value)
        ? undefined
        : messages.notIncluded,
    ),
  ) as PropertyDecorator;
}

/** May be anything; what it must be is checked where its rule lives. */
export function CheckedLater(): PropertyDecorator {
  return applyDecorators(
    AsGiven(),
    Rule('checkedLater', () => undefined),
  ) as PropertyDecorator;
}

export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}
