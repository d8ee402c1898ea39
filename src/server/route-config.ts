import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

/**
 * Adds to the Fastify config of a route. `onRequest` hooks can use the config, because it is known before the body is
 * read. Nest guards run later. Unlike `RouteConfig`, this keeps the config of other decorators.
 */
export function ExtendRouteConfig(config: FastifyContextConfig): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const existing: object | undefined = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value);
    RouteConfig({ ...existing, ...config })(target, key, descriptor);
  };
}
