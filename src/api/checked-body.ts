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
 * The DTO of a body, and the errors in it. The service throws the errors after it has found the record in the path: an
 * unknown id is 404 even if the body is invalid.
 */
export interface Checked<Dto> {
  /** The converted values of the permitted keys. An invalid value is unchanged. */
  dto: Dto;
  /** The messages for each invalid field and for each key that the DTO does not permit. */
  errors: FieldErrors;
}

/** The body of a request that changes a record. A value that equals the shown one is not a change. */
export interface CheckedUpdate<Dto> extends Checked<Dto> {
  /** The body as it was parsed. */
  given: Metadata;
  /** Whether the body is a form. All values of a form are texts. */
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

/** Assigns the permitted keys of a body to a new DTO, and validates the DTO. */
function checkBody<Dto extends object>(type: Type<Dto>, body: Metadata): Checked<Dto> {
  const converters = convertersOf(type);
  const dto = new type();
  const errors: FieldErrors = {};
  for (const key of Object.keys(body)) {
    const convert = converters.get(key);
    if (!convert) {
      errors[key] = [messages.notPermitted];
      continue;
    }
    const value = convert(body[key]);
    if (value !== undefined) Object.assign(dto, { [key]: value });
  }
  for (const { property, constraints = {} } of validateSync(dto, { forbidUnknownValues: false })) {
    errors[property] = Object.values(constraints);
  }
  return { dto, errors };
}

/** @throws ValidationError with the errors of the body, if there are any */
export function validDto<Dto>({ dto, errors }: Checked<Dto>): Dto {
  throwIfInvalid(errors);
  return dto;
}
