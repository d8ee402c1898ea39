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
    const stray = given.map(([key]) => key).filter((key) => key in Object.prototype);
    const body = Object.fromEntries(given.map(([key, one]) => [key, Untouched.wrap(one)]));
    for (const key of stray) delete body[key];
    try {
      const dto: unknown = await super.transform(body, metadata);
      if (stray.length > 0) throw new Invalid({});
      return dto;
    } catch (error) {
      if (error instanceof Invalid) for (const key of stray) error.errors[key] = [messages.notPermitted];
      if (!(error instanceof Invalid) || !metadata.metatype || !partlyChecked.has(metadata.metatype)) throw error;
      const dto = plainToInstance(metadata.metatype as Type<object>, body) as object;
      foundErrors.set(dto, error.errors);
      return dto;
    }
  }
}

function messagesOf({ property, constraints = {} }: ValidationError): [string, string[]] {
  const unknown = 'whitelistValidation' in constraints;
  return [property, unknown ? [messages.notPermitted] : Object.values(constraints)];
}
