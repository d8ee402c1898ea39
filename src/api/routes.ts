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
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Resource } from './resources/resource.js';
import { LocationHeader } from './response-headers.adapter.js';
import { Failure, FieldFailure } from './failure.dto.js';
import { DEFAULT_PER_PAGE, MAX_PER_PAGE } from './list-request.js';
import { AcceptsQuery } from './no-query.guard.js';

// Each decorator sets the behavior of one kind of route, and documents it in /docs.
// (`@HttpCode` stands on the route itself, where the Swagger plugin of the build looks for it.)

const ERROR_DESCRIPTIONS = {
  400: 'The body or the query cannot be parsed, or a filter does not exist or cannot be read.',
  403: 'The signature is missing or wrong.',
  404: 'There is no such record, or no such parent.',
  413: 'The body is too large.',
  415: 'The body is none of the three media types.',
  503: 'There are too many requests at once, or the database cannot be used now: try again later.',
} as const;

const header = (description: string, type: 'string' | 'integer') => ({ description, schema: { type } }) as const;
const requestId = { 'X-Request-Id': header("The request's id: the caller's own, if it sent a sane one.", 'string') };

const retryAfter = { 'Retry-After': header('Seconds after which it may be tried again.', 'integer') };

/** The error answers of a route that name no field, in their one shape. Every route may be too busy. */
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

/** The error answers of a route whose input has fields. */
function ValidationErrorResponses(...statuses: Exclude<keyof typeof ERROR_DESCRIPTIONS, 503>[]): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(FieldFailure),
    ErrorResponses(...statuses),
    ApiResponse({
      status: 422,
      description: 'Understood, but not valid: every broken field with its messages.',
      headers: requestId,
      schema: { $ref: getSchemaPath(FieldFailure) },
    }),
  );
}

const IdParam = ApiParam({ name: 'id', required: true, schema: { type: 'integer', minimum: 1 }, example: 1 });
const ConsumesBody = ApiConsumes('application/x-www-form-urlencoded', 'application/json', 'multipart/form-data');

interface RouteOptions {
  /** The path names a record: an unknown one is 404. */
  nested?: boolean;
  /** Rows may be left out at the people's own wish: then `Left-Out` says how many. */
  leftOutHeader?: boolean;
  /** Pages have no numbers, and rows are not counted. */
  keysetOnly?: boolean;
}

/** Returns a page of a resource's records. */
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
      description: `Rows on a page; more than ${MAX_PER_PAGE} means ${MAX_PER_PAGE}.`,
      schema: { type: 'integer', minimum: 1, default: DEFAULT_PER_PAGE },
    }),
    ApiQuery({
      name: 'after_id',
      required: false,
      description: keysetOnly
        ? 'The rows whose ids are greater. Begin with 0 and follow `Link rel="next"` as long as there is one.'
        : 'In place of `page`, for whoever walks the whole list: the rows whose ids are greater, in constant time ' +
          'however far the walk is. Begin with 0 and follow `Link rel="next"` as long as there is one. Nothing is ' +
          'counted: there is no `Total`.',
      schema: { type: 'integer', minimum: 0, ...(keysetOnly && { default: 0 }) },
    }),
    ApiQuery({
      name: 'q',
      required: false,
      style: 'deepObject',
      explode: true,
      description:
        'Filters, all of which must hold: `q[metadata][gender]=f`. ' +
        'Plain attributes take several values, separated by commas. ' +
        'A date in a time filter means that whole day in UTC. ' +
        'A filter of metadata without a value finds where the key is absent or null.',
      schema: { type: 'object', additionalProperties: false, properties: Object.fromEntries(filterSchemas) },
    }),
    ApiOkResponse({
      description: `A page of ${name.replaceAll('_', ' ')}, in the order of their ids.`,
      type: model,
      isArray: true,
      headers: {
        ...requestId,
        'Per-Page': header('Rows on a page, at the most.', 'integer'),
        ...(!keysetOnly && { Total: header('Rows on all pages; not with `after_id`.', 'integer') }),
        ...(leftOutHeader && {
          'Left-Out': header(
            'Contacts left out because they asked for no more calls; for a population only, and not with `after_id`.',
            'integer',
          ),
        }),
        Link: header(
          'The first, prev, last and next page, where there are such (RFC 8288); with `after_id` the next one.',
          'string',
        ),
      },
    }),
    ...(nested ? [ValidationErrorResponses(400, 404)] : [ValidationErrorResponses(400)]),
  );
}

/** Returns one record. */
export function ShowRoute({ model }: Resource): MethodDecorator {
  return applyDecorators(
    IdParam,
    ApiOkResponse({ type: model, headers: requestId }),
    ValidationErrorResponses(400, 404),
  );
}

/** Returns the record that was created, or changed by an event, and its address: `/api/<name>/<id>`. */
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

/** Changes a record, and answers nothing. */
export function UpdateRoute(): MethodDecorator {
  return applyDecorators(
    ConsumesBody,
    IdParam,
    ApiNoContentResponse({ description: 'It was changed.', headers: requestId }),
    ValidationErrorResponses(400, 404, 413, 415),
  );
}

/** Deletes a record, and answers nothing. */
export function DeleteRoute(): MethodDecorator {
  return applyDecorators(
    IdParam,
    ApiNoContentResponse({ description: 'It was deleted.', headers: requestId }),
    ValidationErrorResponses(400, 404),
  );
}

const webhook = { CallSid: 'CA0123456789abcdef0123456789abcdef', CallStatus: 'completed', Direction: 'outbound-api' };

/** The route of the provider's webhooks. The provider decides on the parameters in the URL and in the body. */
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
      description: 'Our own id of the call.',
    }),
    ...(['step', 'asked'] as const).map((name) =>
      ApiQuery({
        name,
        required: false,
        schema: { type: 'integer' },
        description: 'Where the caller stands: the answer to which step this is, and how often it was asked.',
      }),
    ),
    ApiHeader({
      name: 'X-Twilio-Signature',
      required: true,
      description: 'Signed with the auth token of the account.',
    }),
    ApiConsumes('application/x-www-form-urlencoded', 'application/json'),
    ApiBody(parameters),
    ApiCreatedResponse(document('TwiML: what is to be said, played or asked.')),
    ErrorResponses(400, 403, 413, 415),
    ApiResponse({ status: 422, ...document('The call is not known, or cannot be taken on.') }),
  );
}
