import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { emptyListAsObject } from '../metadata/client-values.js';
import { type Metadata, isJsonObject } from '../metadata/metadata.js';
import { assertStorable } from './assert-storable.js';
import { BadRequestError } from '../errors/errors.js';
import { assertNoLossyIntegers } from './lossy-integers.js';
import { ExtendRouteConfig } from './route-config.js';
import { type Parameter, decodeParameters, nestParameters } from './nested-parameters.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    rawBody?: true;
  }
}

/**
 * The largest raw body (bytes). A provider's webhook has about a tenth of it. The limit is low because many webhooks
 * can be in memory at the same time.
 */
const MAX_RAW_BODY = 65_536;

/** Marks a route whose body is not parsed, but passed on as a Buffer of at most 64 KiB. */
export const RawBody = (): MethodDecorator => ExtendRouteConfig({ rawBody: true });

/** @returns whether the route of a request is marked with `RawBody` */
export function hasRawBody({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config?.rawBody === true;
}

/**
 * Registers the parsers of the three body formats: JSON, form and multipart. Each returns an object. A request without
 * a body gets an empty object.
 * @param limit the largest body (bytes)
 */
export async function registerBodyParsers(fastify: FastifyInstance, limit: number): Promise<void> {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => (hasRawBody(request) ? body : parseStorableJson(utf8(body))),
  );
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) =>
      hasRawBody(request) ? body : nestStorable(decodeParameters(utf8(body))),
  );
  fastify.addHook('onRoute', (route) => {
    if (route.config?.rawBody) route.bodyLimit = Math.min(limit, MAX_RAW_BODY);
  });
  await fastify.register(multipart, { limits: { fields: 2_000, fieldSize: limit + 1, parts: 2_000 } });
  fastify.addHook('preValidation', async (request) => {
    if (request.isMultipart())
      request.body = nestStorable(await multipartFields(request, request.routeOptions.bodyLimit));
    request.body ??= {};
  });
}

/**
 * Parses a JSON object that may contain values which a database cannot store. A blank text and `null` count as an empty
 * object.
 * @throws BadRequestError when the text is not a JSON object, or when an integer in it would be rounded
 */
export function parseJsonObject(text: string): Metadata {
  if (text.trim() === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BadRequestError('the body is not JSON');
  }
  assertNoLossyIntegers(text);
  const object = emptyListAsObject(body ?? {});
  if (!isJsonObject(object)) throw new BadRequestError('the body must be a JSON object');
  return object;
}

/**
 * Parses a JSON object that both databases can store.
 * @throws BadRequestError as `parseJsonObject` and `assertStorable` do
 */
export function parseStorableJson(text: string): Metadata {
  const object = parseJsonObject(text);
  assertStorable(object);
  return object;
}

function nestStorable(parameters: Parameter[]): Metadata {
  const object = nestParameters(parameters, { repeated: 'last' });
  assertStorable(object);
  return object;
}

function utf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new BadRequestError('the body is not UTF-8');
  }
}

async function multipartFields(request: FastifyRequest, limit: number): Promise<Parameter[]> {
  const fields: Parameter[] = [];
  let size = 0;
  try {
    for await (const part of request.parts()) {
      if (part.type !== 'field') throw new BadRequestError(`${part.fieldname} is a file, which is not accepted here`);
      if (typeof part.value !== 'string') throw new BadRequestError(`${part.fieldname} is not a text field`);
      size += Buffer.byteLength(part.fieldname) + Buffer.byteLength(part.value);
      if (size > limit) throw Object.assign(new Error('Request body is too large'), { statusCode: 413 });
      if (part.value.includes('\uFFFD')) throw new BadRequestError(`${part.fieldname} is not UTF-8`);
      fields.push([part.fieldname, part.value]);
    }
  } catch (error) {
    // The parser's own errors do not have a status.
    if (error instanceof BadRequestError || (error as { statusCode?: number }).statusCode === 413) throw error;
    throw new BadRequestError('the body is not multipart form data');
  }
  return fields;
}
