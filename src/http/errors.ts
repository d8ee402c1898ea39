/** Messages by field: every field that is broken, each with all that is wrong with it. `base` is the record as a whole. */
export type FieldErrors = Record<string, string[]>;

/** The messages of the contract, section 2, in one place. */
export const messages = {
  blank: "can't be blank",
  invalidNumber: 'is an invalid number',
  taken: 'has already been taken',
  notIncluded: 'is not included in the list',
  mustExist: 'must exist',
  mustBeObject: 'must be an object',
  tooLarge: 'is too large',
  mustBeBoolean: 'must be true or false',
  notPermitted: 'is not a permitted parameter',
  cannotChange: (status: string) => `cannot change because status is ${status}`,
} as const;

/** Understood, but not valid: 422 with the fields. */
export class Invalid extends Error {
  constructor(readonly errors: FieldErrors) {
    super('The record is not valid');
  }
}

/** Names nothing that there is: 404. */
export class NotFound extends Error {}

/** Cannot be read: 400 with the message. */
export class Unreadable extends Error {}

/** Is not signed by whom it says it is from: 403. */
export class Forged extends Error {}

/** Has a body of a media type or an encoding that is not read here: 415. */
export class UnsupportedMediaType extends Error {}

/** Cannot be done now, but may be later: 503 with the message. */
export class Unavailable extends Error {
  /** @param retryAfter seconds after which it may be tried again */
  constructor(
    message: string,
    readonly retryAfter: number,
  ) {
    super(message);
  }
}

/** Is from the provider, but speaks of nothing that we know or can take on: 422, in XML. */
export class UnusableWebhook extends Error {}

/** Adds `message` to those of `field`. */
export function addError(errors: FieldErrors, field: string, message: string): void {
  (errors[field] ??= []).push(message);
}

/** @throws Invalid when there is any error */
export function refuseIfAny(errors: FieldErrors): void {
  if (Object.keys(errors).length > 0) throw new Invalid(errors);
}
