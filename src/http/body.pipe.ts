import { type ArgumentMetadata, Injectable, type Type, ValidationPipe } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import type { ValidationError } from 'class-validator';
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

/** Turns a body into its DTO. Every broken field is named, and one that the DTO does not have is an error. */
@Injectable()
export class BodyPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: false,
      exceptionFactory: (broken) => new Invalid(Object.fromEntries(broken.map(messagesOf))),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type !== 'body') return value;
    const given = Object.entries(Object(value) as object);
    // class-transformer drops keys that every object has, such as constructor, before class-validator can refuse them.
    const isStray = ([key]: [string, unknown]): boolean => key in Object.prototype;
    const errors: FieldErrors = Object.fromEntries(
      given.filter(isStray).map(([key]) => [key, [messages.notPermitted]]),
    );
    const body = Object.fromEntries(
      given.filter((one) => !isStray(one)).map(([key, one]) => [key, Untouched.wrap(one)]),
    );
    let dto: unknown;
    try {
      dto = await super.transform(body, metadata);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      Object.assign(errors, error.errors);
    }
    if (Object.keys(errors).length === 0) return dto;
    if (!metadata.metatype || !partlyChecked.has(metadata.metatype)) throw new Invalid(errors);
    const partly = plainToInstance(metadata.metatype as Type<object>, body) as object;
    foundErrors.set(partly, errors);
    return partly;
  }
}

function messagesOf({ property, constraints = {} }: ValidationError): [string, string[]] {
  const unknown = 'whitelistValidation' in constraints;
  return [property, unknown ? [messages.notPermitted] : Object.values(constraints)];
}
