import { messages } from '../errors/errors.js';
import { emptyListAsObject, isBlank, textOf } from '../metadata/client-values.js';
import { exactNumber } from '../metadata/json-number.js';
import { type Metadata, isJsonObject, isTooLarge } from '../metadata/metadata.js';
import { timeZoneOf } from '../time-zones/time-zone.js';
import { type CallWindow, days, longestOpening, minuteOfDay, readCallWindows } from './call-windows.js';
import { RESERVED_AHEAD_SECONDS, type StoredDialPlan, goals, readRingSeconds, retryableResults } from './dial-plan.js';

/** The part of a JSON schema that describes a plan in the OpenAPI document. */
interface DialPlanSchema {
  /** Undefined: any type. */
  type?: 'object' | 'array' | 'string' | 'integer' | 'number';
  description?: string;
  properties?: Record<string, DialPlanSchema>;
  required?: string[];
  additionalProperties?: boolean;
  items?: DialPlanSchema;
  minItems?: number;
  maxItems?: number;
  enum?: string[];
  pattern?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
}

/** The rules for the parameters of a request for a call, which phone calls own. */
interface RemoteRequestParamsRules {
  /** Removes blanks, and returns other values unchanged. */
  read: (given: unknown) => unknown;
  /** Returns the message for invalid parameters. */
  error: (value: unknown) => string | undefined;
}

/** The rules for one value of a plan. */
interface Field {
  /** Describes a normalized value. */
  schema: DialPlanSchema;
  /** Normalizes a value that is not blank. An invalid one is returned unchanged. */
  read: (given: unknown) => unknown;
  /** Returns the messages for a normalized value, each with the name of the key. */
  errors: (value: unknown, name: string) => string[];
}

/** The longest pause before a retry (s): 7 days. The shortest is 0: the person is called again at once. */
const MAX_PAUSE = 604_800;
const MAX_RETRIES = 10;
const MAX_WINDOWS = 100;
const MAX_KEY_LENGTH = 255;

/**
 * Normalizes a dial plan of a client. Forms send numbers and lists as text, and both become what JSON has. Blank keys
 * are removed. An empty list that stands for an object, as PHP sends it, becomes one. Invalid values are returned
 * unchanged, for {@link dialPlanErrors} to reject.
 */
export function readGivenDialPlan(given: unknown, params: RemoteRequestParamsRules): unknown {
  return planField(params).read(given);
}

/**
 * Validates a dial plan that {@link readGivenDialPlan} has normalized.
 *
 * @returns a message for each invalid key, with its name; none if the plan is a {@link StoredDialPlan}
 */
export function dialPlanErrors(value: unknown, params: RemoteRequestParamsRules): string[] {
  if (!isJsonObject(value)) return [messages.mustBeObject];
  if (isTooLarge(value)) return [messages.tooLarge];
  const errors = planField(params).errors(value, '');
  return errors.length > 0 ? errors : ringErrors(value as unknown as StoredDialPlan);
}

function planField(params: RemoteRequestParamsRules): Field {
  return object({
    required: ['remote_request_params'],
    fields: {
      remote_request_params: described(
        "The parameters of the request for each call: those of Twilio's create-call request, in snake case.",
        paramsField(params),
      ),
      until: described(
        'What ends the attempts to reach a person: that somebody answers, or that the person confirms. By default, ' +
          'it is `answered`.',
        oneOf(goals),
      ),
      max_attempts: described(
        'How often a person is called at most, over all results, including the first time. By default, it is 3.',
        wholeNumber(1, 10),
      ),
      retries: described(
        'What is tried again: for each result, how often, and after which pauses. A result that is not there is not ' +
          'tried again. By default, all five are. `answered` counts only if `until` is `confirmed`.',
        object({
          fields: Object.fromEntries(
            retryableResults.map((result) => [result, described(`After the result \`${result}\`.`, RETRY)]),
          ),
        }),
      ),
      call_windows: described(
        'The times at which people may be called, in their local time. By default, it is any time.',
        list(CALL_WINDOW, 0, MAX_WINDOWS),
      ),
      time_zone: described(
        'The time zone of people who have none of their own. By default, it is the setting `TIME_ZONE`.',
        TIME_ZONE,
      ),
      time_zone_key: described("The key of a contact's metadata that has the contact's own time zone.", TIME_ZONE_KEY),
      max_calls_in_flight: described(
        'How many calls of the callout may be under way at the same time. By default, only the installation has a limit.',
        wholeNumber(1, 1_000_000),
      ),
      calls_per_second: described(
        'How many calls of the callout are dialed in a second. By default, only the installation has a limit.',
        {
          ...numeric((number) => number >= 0.01 && number <= 10_000, 'must be a number from 0.01 to 10000'),
          schema: { type: 'number', minimum: 0.01, maximum: 10_000 },
        },
      ),
    },
  });
}

/** A field with a description for the OpenAPI document. */
function described(description: string, field: Field): Field {
  return { ...field, schema: { ...field.schema, description } };
}

/** A plan whose every opening is too short would never call anybody. */
function ringErrors({ call_windows: windows = [], remote_request_params: params }: StoredDialPlan): string[] {
  const seconds = readRingSeconds(params) + RESERVED_AHEAD_SECONDS;
  if (longestOpening(readCallWindows(windows)) > seconds) return [];
  return [`call_windows must be open for longer than it takes to dial and ring, which is ${seconds} seconds`];
}

const RETRY = object({
  required: ['max'],
  fields: {
    max: described('How often this result is followed by another attempt, at most.', wholeNumber(0, MAX_RETRIES)),
    after: described(
      'The pauses before the first, second, … of them, in seconds from the end of the attempt. The last one repeats.',
      list(wholeNumber(0, MAX_PAUSE), 1, MAX_RETRIES),
    ),
  },
  check: ({ max, after }, name) => (max === 0 || after !== undefined ? [] : [`${name}.after ${messages.blank}`]),
});

const TIME: Field = {
  schema: { type: 'string', pattern: '^\\d\\d:[0-5]\\d$' },
  read: trimmed,
  errors: (value, name) => (minuteOfDay(value) === undefined ? [`${name} must be a time such as 08:00`] : []),
};

const CALL_WINDOW = object({
  required: ['from', 'to'],
  fields: {
    days: described('The days on which the window begins. By default, it is every day.', list(oneOf(days), 1, 7)),
    from: described('When it opens, such as `08:00`.', TIME),
    to: described('When it closes, such as `20:00`. Before `from`: on the next day. `24:00` is midnight.', TIME),
  },
  check: (window, name) => {
    const { from, to } = window as unknown as CallWindow;
    if (to === from) return [`${name}.to must not be the same as from; the whole day is 00:00 to 24:00`];
    // It would belong to the day before the one on which it opens.
    return from === '24:00' ? [`${name}.from must be before 24:00`] : [];
  },
});

const TIME_ZONE: Field = {
  schema: { type: 'string' },
  read: (given) => timeZoneOf(given) ?? given,
  errors: (value, name) =>
    timeZoneOf(value) === undefined ? [`${name} must be an IANA time zone such as Asia/Phnom_Penh`] : [],
};

const TIME_ZONE_KEY: Field = {
  schema: { type: 'string', maxLength: MAX_KEY_LENGTH },
  read: trimmed,
  errors: (value, name) =>
    typeof value === 'string' && value.length <= MAX_KEY_LENGTH
      ? []
      : [`${name} must be a text of at most ${MAX_KEY_LENGTH} characters`],
};

function paramsField({ read, error }: RemoteRequestParamsRules): Field {
  return {
    schema: {
      type: 'object',
      required: ['from'],
      properties: { from: { description: 'The number that people see.' } },
      additionalProperties: true,
    },
    read,
    errors: (value, name) => {
      const message = error(value);
      if (message) return [`${name} ${message}`];
      const { from } = value as Metadata;
      return isBlank(textOf(from)) ? [`${name}.from ${messages.blank}`] : [];
    },
  };
}

function wholeNumber(min: number, max: number): Field {
  return {
    schema: { type: 'integer', minimum: min, maximum: max },
    ...numeric(
      (number) => Number.isInteger(number) && number >= min && number <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  };
}

function numeric(isValid: (number: number) => boolean, message: string): Omit<Field, 'schema'> {
  return {
    read: (given) => (typeof given === 'string' ? (exactNumber(given.trim()) ?? given) : given),
    errors: (value, name) => (typeof value === 'number' && isValid(value) ? [] : [`${name} ${message}`]),
  };
}

function oneOf(words: readonly string[]): Field {
  return {
    schema: { type: 'string', enum: [...words] },
    read: (given) => (typeof given === 'string' ? given.trim().toLowerCase() : given),
    errors: (value, name) =>
      words.some((word) => word === value) ? [] : [`${name} must be one of ${words.join(', ')}`],
  };
}

/**
 * A list of `min` to `max` items. A form cannot have a list inside the objects of a list, so a text whose items are
 * separated by commas or spaces is a list, too, and so is a single item.
 */
function list(item: Field, min: number, max: number): Field {
  return {
    schema: { type: 'array', items: item.schema, minItems: min, maxItems: max },
    read: (given) => {
      const items = typeof given === 'string' ? given.trim().split(/[\s,]+/) : [given].flat();
      return items.filter((one) => !isBlank(one)).map((one) => item.read(one));
    },
    errors: (value, name) => {
      if (!Array.isArray(value)) return [`${name} must be a list`];
      if (value.length < min || value.length > max) return [`${name} must have ${min} to ${max} items`];
      return value.flatMap((one, index) => item.errors(one, `${name}[${index}]`));
    },
  };
}

/**
 * An object that has `fields` and no other keys.
 *
 * @param rules.required the fields that must be given
 * @param rules.check validates an object whose fields are valid
 */
function object({
  fields,
  required = [],
  check = () => [],
}: {
  fields: Readonly<Record<string, Field>>;
  required?: readonly string[];
  check?: (value: Metadata, name: string) => string[];
}): Field {
  const fieldOf = (key: string): Field | undefined => (Object.hasOwn(fields, key) ? fields[key] : undefined);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(fields).map(([key, { schema }]) => [key, schema])),
      ...(required.length > 0 && { required: [...required] }),
      additionalProperties: false,
    },
    read: (given) => {
      const value = emptyListAsObject(given);
      if (!isJsonObject(value)) return value;
      const entries = Object.entries(value).filter(([, one]) => !isBlank(one));
      return Object.fromEntries(entries.map(([key, one]) => [key, fieldOf(key)?.read(one) ?? one]));
    },
    errors: (value, name) => {
      if (!isJsonObject(value)) return [`${name} ${messages.mustBeObject}`];
      const pathOf = (key: string): string => (name ? `${name}.${key}` : key);
      const errors = Object.entries(value).flatMap(
        ([key, one]) => fieldOf(key)?.errors(one, pathOf(key)) ?? [`${pathOf(key)} ${messages.notPermitted}`],
      );
      const missing = required.filter((key) => value[key] === undefined);
      const all = [...errors, ...missing.map((key) => `${pathOf(key)} ${messages.blank}`)];
      return all.length > 0 ? all : check(value, name);
    },
  };
}

function trimmed(given: unknown): unknown {
  return typeof given === 'string' ? given.trim() : given;
}

/** The JSON schema of a dial plan, for the OpenAPI document. Any normalized plan without errors matches it. */
export const dialPlanSchema = planField({ read: (given) => given, error: () => undefined }).schema;
