import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { type FieldErrors, Invalid, messages } from './errors.js';
import { Untouched } from './untouched.js';

const partlyChecked = new WeakSet<object>();
const foundErrors = new WeakMap<object, FieldErrors>();

/**
 * On a DTO of which some rules need the database: it is handed on although something is broken, so that the service can name all that is
 * broken at once. The service starts from `errorsFoundIn`, and refuses if there are any.
 */
export const PartlyChecked: ClassDecorator = (dto) => void partlyChecked.add(dto);

/** What is known to be broken in a DTO that is `PartlyChecked`. */
export function errorsFoundIn(dto: object): FieldErrors {
  return { ...foundErrors.get(dto) };
}

/** What Nest's own ValidationPipe asks for here; that walks each body three times more. */
const STRICT = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false };

/** Turns a body into its DTO. Every broken field is named, and one that the DTO does not have is an error. */
@Injectable()
export class BodyPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || !metatype || metatype === Object) return value;
    const errors: FieldErrors = {};
    const body: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(Object(value) as object)) {
      // class-transformer drops keys that every object has, such as constructor, before class-validator can refuse them.
      if (key in Object.prototype) errors[key] = [messages.notPermitted];
      else body[key] = Untouched.wrap(one);
    }
    const dto = plainToInstance(metatype as Type<object>, body) as object;
    Object.assign(errors, Object.fromEntries(validateSync(dto, STRICT).map(messagesOf)));
    if (Object.keys(errors).length === 0) return dto;
    if (!partlyChecked.has(metatype)) throw new Invalid(errors);
    foundErrors.set(dto, errors);
    return dto;
  }
}

function messagesOf({ property, constraints = {} }: ValidationError): [string, string[]] {
  const unknown = 'whitelistValidation' in constraints;
  return [property, unknown ? [messages.notPermitted] : Object.values(constraints)];
}
