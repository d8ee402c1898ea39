import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

/**
 * Adds to the Fastify config of a route. Fastify knows the config before it reads the body, so `onRequest` hooks can use
 * it; a Nest guard runs later. `RouteConfig` alone replaces what another decorator set.
 */
export function ExtendRouteConfig(config: FastifyContextConfig): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const existing: object | undefined = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value);
    RouteConfig({ ...existing, ...config })(target, key, descriptor);
  };
}
