import { type ExecutionContext, type Type, createParamDecorator } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';
import { validateSync } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import type { Resource } from './resources/resource.js';
import type { Metadata } from '../metadata/metadata.js';
import { type FieldErrors, messages, throwIfInvalid } from '../errors/errors.js';
import { mediaTypeOf } from '../server/media-type.js';
import { convertersOf } from './converters.js';

/**
 * A body as its DTO, with everything that is wrong with it. The service throws the errors after it has found the record
 * that the path names: an unknown id is 404, whatever the body is.
 */
export interface Checked<Dto> {
  /** The permitted keys of the body, as their readers return them. An invalid one keeps the value that was given. */
  dto: Dto;
  /** The messages of every invalid field, and of every key that the DTO does not permit. */
  errors: FieldErrors;
}

/** A body that changes a record. Values that are sent back as they are shown are no changes. */
export interface CheckedUpdate<Dto> extends Checked<Dto> {
  /** The body as it was parsed. */
  given: Metadata;
  /** Whether the body is a form, whose values are all texts. */
  isForm: boolean;
}

/**
 * Injects the body of a request as `Checked<Dto>`, and documents it.
 * @param options.optional whether an empty body is valid
 */
export function CheckedBody(type: Type<object>, { optional = false } = {}): ParameterDecorator {
  return bodyDecorator(type, optional, (body: Metadata) => checkBody(type, body));
}

/** Injects the body of a request that changes a record of `resource` as `CheckedUpdate<Dto>`, and documents it. */
export function UpdateBody({ update }: Resource): ParameterDecorator {
  return bodyDecorator(update, true, (body: Metadata, isForm): CheckedUpdate<object> => ({
    ...checkBody(update, body),
    given: body,
    isForm,
  }));
}

function bodyDecorator(
  type: Type<object>,
  optional: boolean,
  check: (body: Metadata, isForm: boolean) => Checked<object>,
): ParameterDecorator {
  const fromRequest = createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { body, headers } = context.switchToHttp().getRequest<FastifyRequest<{ Body: Metadata }>>();
    return check(body, mediaTypeOf(headers) !== 'application/json');
  });
  return (target, route, index) => {
    fromRequest()(target, route, index);
    ApiBody({ type, required: !optional })(target, route!, Object.getOwnPropertyDescriptor(target, route!)!);
  };
}

/** Assigns the permitted keys of a body to a new DTO, and validates it. */
function checkBody<Dto extends object>(type: Type<Dto>, body: Metadata): Checked<Dto> {
  const readers = convertersOf(type);
  const dto = new type();
  const errors: FieldErrors = {};
  for (const key of Object.keys(body)) {
    const read = readers.get(key);
    if (!read) {
      errors[key] = [messages.notPermitted];
      continue;
    }
    const value = read(body[key]);
    if (value !== undefined) Object.assign(dto, { [key]: value });
  }
  for (const { property, constraints = {} } of validateSync(dto, { forbidUnknownValues: false })) {
    errors[property] = Object.values(constraints);
  }
  return { dto, errors };
}

/**
 * @returns the DTO of a body
 * @throws ValidationError when the body has an error
 */
export function validDto<Dto>({ dto, errors }: Checked<Dto>): Dto {
  throwIfInvalid(errors);
  return dto;
}
