/** The messages for each invalid field. The key `base` is for the record as a whole. */
export type FieldErrors = Record<string, string[]>;

/** The messages for invalid fields. They are part of the API. */
export const messages = {
  blank: "can't be blank",
  invalidNumber: 'is an invalid number',
  taken: 'has already been taken',
  notIncluded: 'is not included in the list',
  mustExist: 'must exist',
  mustBeObject: 'must be an object',
  tooLarge: 'is too large',
  mustBeTime: 'must be an ISO 8601 date or timestamp',
  mustBeBoolean: 'must be true or false',
  notPermitted: 'is not a permitted parameter',
  cannotChange: (status: string) => `cannot change because status is ${status}`,
} as const;

/** @returns one message for a value with several errors; undefined if there are none */
export function joinMessages(found: readonly string[]): string | undefined {
  return found.length > 0 ? found.join('; ') : undefined;
}

/** The input is readable, but one or more fields are invalid. */
export class ValidationError extends Error {
  constructor(readonly errors: FieldErrors) {
    super('The record is not valid');
  }
}

/** The record or the route does not exist. */
export class NotFoundError extends Error {}

/** The input cannot be parsed. The message is for the client. */
export class BadRequestError extends Error {}

/** The signature of a webhook is missing or does not match. */
export class InvalidSignatureError extends Error {}

/** The media type or the encoding of the body is not supported. */
export class UnsupportedMediaTypeError extends Error {}

/** The request cannot be served now. The message is for the client. */
export class ServiceUnavailableError extends Error {
  /** @param retryAfter when the client may try again, in seconds */
  constructor(
    message: string,
    readonly retryAfter: number,
  ) {
    super(message);
  }
}

/** The webhook is authentic, but its call is unknown or its parameters are incomplete. */
export class UnusableWebhookError extends Error {}

/** @throws ValidationError when `errors` has any field */
export function throwIfInvalid(errors: FieldErrors): void {
  if (Object.keys(errors).length > 0) throw new ValidationError(errors);
}
