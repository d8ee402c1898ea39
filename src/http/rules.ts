import { applyDecorators } from '@nestjs/common';
import { type ValidationArguments, ValidateIf, registerDecorator } from 'class-validator';
import { callFlowNames } from '../call-flows/call-flow.names.js';
import { isBlank, emptyListAsObject } from '../metadata/client-values.js';
import { isJsonObject, isTooLarge, mergeModes } from '../metadata/metadata.js';
import { toMsisdn } from '../phone-numbers/msisdn.js';
import { messages } from '../errors/errors.js';
import { Permit, Read } from './readers.js';

// The rules of DTO properties, in the words of the contract.

/** What is wrong with a value, or undefined. */
type Check = (value: unknown) => string | undefined;

/** The property is permitted, and must pass `check`, whose words are the message. */
export function Rule(name: string, check: Check): PropertyDecorator {
  return applyDecorators(Permit(), (target: object, property: string | symbol) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value: unknown) => check(value) === undefined,
        defaultMessage: (args?: ValidationArguments) => check(args?.value) ?? '',
      },
    }),
  ) as PropertyDecorator;
}

/** A property that need not be given: its rules count only when it is. A blank is no value. */
export function Optional(): PropertyDecorator {
  return applyDecorators(
    Read((value) => (isBlank(value) ? undefined : value)),
    IfGiven(),
  ) as PropertyDecorator;
}

/** The rules of this property count only when it is given. A blank is given. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** A phone number in any usual spelling, read as E.164. */
export function IsMsisdn(): PropertyDecorator {
  return applyDecorators(
    Read((value) => toMsisdn(value) ?? value),
    Rule('isMsisdn', (value) => {
      if (isBlank(value)) return messages.blank;
      return toMsisdn(value) === value ? undefined : messages.invalidNumber;
    }),
  ) as PropertyDecorator;
}

/** An object, if it is given. PHP sends an empty list for an empty map. */
export function IsJsonObject(): PropertyDecorator {
  return applyDecorators(
    Optional(),
    Read(emptyListAsObject),
    Rule('isJsonObject', jsonObjectError),
  ) as PropertyDecorator;
}

/** What is wrong with a value that must be an object of at most 64 KiB, or undefined. */
export function jsonObjectError(value: unknown): string | undefined {
  if (!isJsonObject(value)) return messages.mustBeObject;
  return isTooLarge(value) ? messages.tooLarge : undefined;
}

export function IsMergeMode(): PropertyDecorator {
  return applyDecorators(Optional(), IsIncludedIn(mergeModes)) as PropertyDecorator;
}

/** The name of a call flow; a blank one takes it away. */
export function IsCallFlowLogic(): PropertyDecorator {
  return applyDecorators(
    Read((value) => (isBlank(value) ? null : value)),
    ValidateIf((_, value) => value !== undefined && value !== null),
    IsIncludedIn(callFlowNames),
  ) as PropertyDecorator;
}

/** One of a list, exactly. */
export function IsIncludedIn(list: readonly string[], message: string = messages.notIncluded): PropertyDecorator {
  return Rule('isIncludedIn', (value) => (list.some((one) => one === value) ? undefined : message));
}

/** May be anything; the service checks it. */
export function IsAnything(): PropertyDecorator {
  return Rule('isAnything', () => undefined);
}
