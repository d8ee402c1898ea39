import { applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiParam,
  ApiQuery,
  type ApiQueryOptions,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Resource } from './resources/resource.js';
import { LocationHeader } from './response-headers.adapter.js';
import { Failure, FieldFailure } from './failure.dto.js';
import { DEFAULT_PER_PAGE, MAX_PER_PAGE } from './list-request.js';
import { AcceptsQuery } from './no-query.guard.js';

// Each decorator sets the behavior of one type of route, and documents it in /docs.
// (`@HttpCode` is on the route itself, because the Swagger plugin of the build reads it there.)

const ERROR_DESCRIPTIONS = {
  400: 'The body or the query cannot be parsed, or a filter is unknown or has an invalid value.',
  403: 'The signature is missing or wrong.',
  404: 'The record or its parent does not exist.',
  413: 'The body is too large.',
  415: 'The media type or the encoding of the body is not supported.',
  503: 'There are too many requests at once, or the database is unavailable. Try again later.',
} as const;

const header = (description: string, type: 'string' | 'integer') => ({ description, schema: { type } }) as const;
const requestId = {
  'X-Request-Id': header('The id of the request: the one that the client sent, if it is valid.', 'string'),
};

const retryAfter = { 'Retry-After': header('How long to wait before the next attempt (s).', 'integer') };

/** Documents the error responses of a route that concern no field. Every route can respond with 503. */
function ErrorResponses(...statuses: Exclude<keyof typeof ERROR_DESCRIPTIONS, 503>[]): MethodDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({ status, description: ERROR_DESCRIPTIONS[status], type: Failure, headers: requestId }),
    ),
    ApiResponse({
      status: 503,
      description: ERROR_DESCRIPTIONS[503],
      type: Failure,
      headers: { ...requestId, ...retryAfter },
    }),
  );
}

/** Documents the error responses of a route whose input has fields. */
function ValidationErrorResponses(...statuses: Exclude<keyof typeof ERROR_DESCRIPTIONS, 503>[]): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(FieldFailure),
    ErrorResponses(...statuses),
    ApiResponse({
      status: 422,
      description: 'The input is invalid. Lists every invalid field with its messages.',
      headers: requestId,
      schema: { $ref: getSchemaPath(FieldFailure) },
    }),
  );
}

const IdParam = ApiParam({ name: 'id', required: true, schema: { type: 'integer', minimum: 1 }, example: 1 });
const ConsumesBody = ApiConsumes('application/x-www-form-urlencoded', 'application/json', 'multipart/form-data');

interface RouteOptions {
  /** The path has the id of a record. An unknown id is 404. */
  nested?: boolean;
  /** The response has `Left-Out`: the number of contacts that are left out because they opted out. */
  leftOutHeader?: boolean;
  /** The list has only `after_id`: no page numbers and no total. */
  keysetOnly?: boolean;
}

/** A route that returns a page of a resource's records. */
export function ListRoute(
  { name, model, filters }: Resource,
  { nested = false, leftOutHeader = false, keysetOnly = false }: RouteOptions = {},
): MethodDecorator {
  const filterSchemas = Object.entries(filters).map(([filter, { schema }]) => [filter, schema]);
  return applyDecorators(
    AcceptsQuery(true),
    ...(nested ? [IdParam] : []),
    ...(keysetOnly
      ? []
      : [ApiQuery({ name: 'page', required: false, schema: { type: 'integer', minimum: 1, default: 1 } })]),
    ApiQuery({
      name: 'per_page',
      required: false,
      description: `The number of rows on a page. The maximum is ${MAX_PER_PAGE}, also for larger values.`,
      schema: { type: 'integer', minimum: 1, default: DEFAULT_PER_PAGE },
    }),
    ApiQuery({
      name: 'after_id',
      required: false,
      description: keysetOnly
        ? 'Returns the rows with greater ids. Begin with 0 and follow `Link rel="next"` until there is none.'
        : 'Returns the rows with greater ids, instead of a `page`. Use it to read a whole list: the time for a page ' +
          'does not depend on its position. Begin with 0 and follow `Link rel="next"` until there is none. The rows ' +
          'are not counted: there is no `Total`.',
      schema: { type: 'integer', minimum: 0, ...(keysetOnly && { default: 0 }) },
    }),
    ApiQuery({
      name: 'q',
      required: false,
      style: 'deepObject',
      explode: true,
      description:
        'Filters, such as `q[metadata][gender]=f`. A row must match all of them. ' +
        'Filters on plain attributes accept several values, separated by commas. ' +
        'A date in a time filter is the whole day in UTC. ' +
        'A metadata filter without a value matches a key that is absent or null.',
      schema: { type: 'object', additionalProperties: false, properties: Object.fromEntries(filterSchemas) },
    }),
    ApiOkResponse({
      description: `A page of ${name.replaceAll('_', ' ')}, in the order of their ids.`,
      type: model,
      isArray: true,
      headers: {
        ...requestId,
        'Per-Page': header('The most rows on a page.', 'integer'),
        ...(!keysetOnly && { Total: header('The number of rows on all pages. Absent with `after_id`.', 'integer') }),
        ...(leftOutHeader && {
          'Left-Out': header(
            'The number of contacts left out because they opted out. Only for a population, and not with `after_id`.',
            'integer',
          ),
        }),
        Link: header(
          'Links to the first, prev, last and next page that exist (RFC 8288). With `after_id`, only to the next one.',
          'string',
        ),
      },
    }),
    ...(nested ? [ValidationErrorResponses(400, 404)] : [ValidationErrorResponses(400)]),
  );
}

/** A route that returns one record. */
export function ShowRoute({ model }: Pick<Resource, 'model'>): MethodDecorator {
  return applyDecorators(
    IdParam,
    ApiOkResponse({ type: model, headers: requestId }),
    ValidationErrorResponses(400, 404),
  );
}

/**
 * A route that returns a report on one record.
 *
 * @param response the description and the type of the response
 * @param parameters the query parameters, which the route validates itself
 */
export function ReportRoute(
  response: NonNullable<Parameters<typeof ApiOkResponse>[0]>,
  ...parameters: ApiQueryOptions[]
): MethodDecorator {
  return applyDecorators(
    AcceptsQuery(true),
    IdParam,
    ...parameters.map((parameter) => ApiQuery({ required: false, ...parameter })),
    ApiOkResponse({
      ...response,
      headers: { ...requestId, ETag: header('Changes when the report does. For `If-None-Match`.', 'string') },
    }),
    ValidationErrorResponses(400, 404),
  );
}

/** A route that returns a record that it created, or changed by an event. `Location` is `/api/<name>/<id>`. */
export function CreateRoute({ name, model }: Resource, { nested = false }: RouteOptions = {}): MethodDecorator {
  return applyDecorators(
    LocationHeader(name),
    ConsumesBody,
    ...(nested ? [IdParam] : []),
    ApiCreatedResponse({
      type: model,
      headers: { ...requestId, Location: header(`\`/api/${name}/<id>\``, 'string') },
    }),
    ...(nested ? [ValidationErrorResponses(400, 404, 413, 415)] : [ValidationErrorResponses(400, 413, 415)]),
  );
}

/** A route that changes a record and returns no body. */
export function UpdateRoute(): MethodDecorator {
  return applyDecorators(
    ConsumesBody,
    IdParam,
    ApiNoContentResponse({ description: 'The record was changed.', headers: requestId }),
    ValidationErrorResponses(400, 404, 413, 415),
  );
}

/** A route that deletes a record and returns no body. */
export function DeleteRoute(): MethodDecorator {
  return applyDecorators(
    IdParam,
    ApiNoContentResponse({ description: 'The record was deleted.', headers: requestId }),
    ValidationErrorResponses(400, 404),
  );
}

const webhook = { CallSid: 'CA0123456789abcdef0123456789abcdef', CallStatus: 'completed', Direction: 'outbound-api' };

/** The route for the provider's webhooks. The provider chooses the parameters in the URL and the body. */
export function ProviderWebhookRoute(): MethodDecorator {
  const parameters = { schema: { type: 'object', additionalProperties: true, example: webhook } } as const;
  const document = (description: string) => ({
    description,
    headers: requestId,
    content: { 'application/xml': { schema: { type: 'string' } } },
  });
  return applyDecorators(
    AcceptsQuery(true),
    ApiQuery({
      name: 'phone_call_id',
      required: false,
      schema: { type: 'integer' },
      description: 'The id of the phone call in this API.',
    }),
    ...(['step', 'asked'] as const).map((name) =>
      ApiQuery({
        name,
        required: false,
        schema: { type: 'integer' },
        description: 'The position in the call flow: the step that this request answers, and how often it was asked.',
      }),
    ),
    ApiHeader({
      name: 'X-Twilio-Signature',
      required: true,
      description: 'The signature, made with the auth token of the account.',
    }),
    ApiConsumes('application/x-www-form-urlencoded', 'application/json'),
    ApiBody(parameters),
    ApiCreatedResponse(document('TwiML with what to say, play or ask.')),
    ErrorResponses(400, 403, 413, 415),
    ApiResponse({ status: 422, ...document('The call is unknown, or the parameters are incomplete.') }),
  );
}
