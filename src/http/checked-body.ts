import { type ExecutionContext, type Type, createParamDecorator } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';
import { validateSync } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import type { Metadata } from '../metadata/metadata.js';
import { type FieldErrors, messages, throwIfInvalid } from '../errors/errors.js';
import { mediaTypeOf } from './media-type.js';
import { readersOf } from './readers.js';

/**
 * A body as its DTO, with everything that is wrong with it. Nothing is refused before the service has found the record
 * that the path names: an unknown id is 404, whatever the body holds.
 */
export interface Checked<Dto> {
  /** The permitted keys that the body gives, as their rules read them. A broken one keeps the value that was given. */
  dto: Dto;
  /** The messages of every broken field, and of every key that the DTO does not have. */
  errors: FieldErrors;
  /** The body as it came. */
  given: Metadata;
  /** The body came as a form, whose values are texts. */
  isForm: boolean;
}

/**
 * The body of a request, checked against the rules of a DTO, which also documents it.
 * @param options.optional an empty body is valid
 */
export function CheckedBody(dto: Type<object>, { optional = false } = {}): ParameterDecorator {
  const check = checkerOf(dto);
  const fromRequest = createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { body, headers } = context.switchToHttp().getRequest<FastifyRequest<{ Body: Metadata }>>();
    return check(body, mediaTypeOf(headers) !== 'application/json');
  });
  return (target, route, index) => {
    fromRequest()(target, route, index);
    ApiBody({ type: dto, required: !optional })(target, route!, Object.getOwnPropertyDescriptor(target, route!)!);
  };
}

/**
 * The DTO of a body.
 * @throws ValidationError when anything is wrong with the body
 */
export function valid<Dto>({ dto, errors }: Checked<Dto>): Dto {
  throwIfInvalid(errors);
  return dto;
}

/** Returns the function that checks bodies against the rules of one DTO. */
export function checkerOf<Dto extends object>(type: Type<Dto>): (given: Metadata, isForm: boolean) => Checked<Dto> {
  const readers = readersOf(type);
  return (given, isForm) => {
    const dto = new type();
    const errors: FieldErrors = {};
    for (const key of Object.keys(given)) {
      const read = readers.get(key);
      if (!read) {
        errors[key] = [messages.notPermitted];
        continue;
      }
      const value = read(given[key]);
      if (value !== undefined) (dto as Metadata)[key] = value;
    }
    for (const { property, constraints = {} } of validateSync(dto, { forbidUnknownValues: false })) {
      errors[property] = Object.values(constraints);
    }
    return { dto, errors, given, isForm };
  };
}
