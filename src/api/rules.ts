import { applyDecorators } from '@nestjs/common';
import { type ValidationArguments, ValidateIf, registerDecorator } from 'class-validator';
import { booleanOf, isBlank, emptyListAsObject } from '../metadata/client-values.js';
import { isJsonObject, isTooLarge, mergeModes } from '../metadata/metadata.js';
import { toMsisdn } from '../phone-numbers/msisdn.js';
import { messages } from '../errors/errors.js';
import { formatTime, parseTime } from './filters/parse-time.js';
import { Permit, Convert } from './converters.js';

// The rules for DTO properties. Their messages are part of the API.

/** Returns the message for an invalid value, or undefined. */
type Check = (value: unknown) => string | undefined;

/** Permits the property, and validates it with `check`. */
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

/** The rules apply only when the property is given. A blank value counts as absent. */
export function Optional(): PropertyDecorator {
  return applyDecorators(
    Convert((value) => (isBlank(value) ? undefined : value)),
    IfGiven(),
  ) as PropertyDecorator;
}

/** The rules apply only when the property is given. A blank value counts as given. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** A phone number in any usual spelling. It is converted to E.164. */
export function IsMsisdn(): PropertyDecorator {
  return applyDecorators(
    Convert((value) => toMsisdn(value) ?? value),
    Rule('isMsisdn', (value) => {
      if (isBlank(value)) return messages.blank;
      return toMsisdn(value) === value ? undefined : messages.invalidNumber;
    }),
  ) as PropertyDecorator;
}

/** An optional object. An empty list counts as an empty object, because PHP serializes an empty map as a list. */
export function IsJsonObject(): PropertyDecorator {
  return applyDecorators(
    Optional(),
    Convert(emptyListAsObject),
    Rule('isJsonObject', jsonObjectError),
  ) as PropertyDecorator;
}

/** @returns the message for a value that is not an object of at most 64 KiB, or undefined */
export function jsonObjectError(value: unknown): string | undefined {
  if (!isJsonObject(value)) return messages.mustBeObject;
  return isTooLarge(value) ? messages.tooLarge : undefined;
}

/** An optional merge mode of metadata. */
export function IsMergeMode(): PropertyDecorator {
  return applyDecorators(Optional(), IsIncludedIn(mergeModes)) as PropertyDecorator;
}

/** The value must be in `list`. */
export function IsIncludedIn(list: readonly string[], message: string = messages.notIncluded): PropertyDecorator {
  return Rule('isIncludedIn', (value) => (list.some((one) => one === value) ? undefined : message));
}

/** A value that may be absent. A blank one is converted to null, which clears the attribute. */
export function Nullable(): PropertyDecorator {
  return applyDecorators(
    Convert((value) => (isBlank(value) ? null : value)),
    ValidateIf((_, value) => value !== undefined && value !== null),
  ) as PropertyDecorator;
}

/**
 * A time, as the time filters read it, or null. It is converted to the format in which the API shows timestamps. A date
 * is the beginning of the day in UTC.
 */
export function IsTime(): PropertyDecorator {
  const timeOf = (value: unknown) => (typeof value === 'string' ? parseTime(value) : undefined);
  return applyDecorators(
    Nullable(),
    Convert((value) => {
      const time = timeOf(value);
      return time ? formatTime(time.start) : value;
    }),
    Rule('isTime', (value) => (timeOf(value) ? undefined : messages.mustBeTime)),
  ) as PropertyDecorator;
}

/** An optional boolean: true, `yes`, 1… */
export function IsBoolean(): PropertyDecorator {
  return applyDecorators(
    Optional(),
    Convert((value) => booleanOf(value) ?? value),
    Rule('isBoolean', (value) => (typeof value === 'boolean' ? undefined : messages.mustBeBoolean)),
  ) as PropertyDecorator;
}

/** Any value. The service validates it. */
export function IsAnything(): PropertyDecorator {
  return Rule('isAnything', () => undefined);
}
