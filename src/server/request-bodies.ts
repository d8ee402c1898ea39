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
 * The largest body that stays as it came, in bytes. A provider's webhook is a tenth of that, and very many may be read
 * at once.
 */
const MAX_RAW_BODY = 65_536;

/** On a route: its body stays the bytes that it came as, and is short. */
export const RawBody = (): MethodDecorator => ExtendRouteConfig({ rawBody: true });

/** Whether a request is to a route with `RawBody`. */
export function hasRawBody({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config?.rawBody === true;
}

/**
 * Teaches Fastify the three ways in which a body may come: JSON, form, multipart. Each becomes the same object; no body is an empty one.
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
 * The object that a JSON body holds; a blank one is empty, and so is `null`. It may hold what no database can keep.
 * @throws BadRequestError
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
 * As {@link parseJsonObject}, of what every database can keep.
 * @throws BadRequestError
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
    // The parser's own errors say nothing of whose fault they are.
    if (error instanceof BadRequestError || (error as { statusCode?: number }).statusCode === 413) throw error;
    throw new BadRequestError('the body is not multipart form data');
  }
  return fields;
}
