import { applyDecorators } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ExtendRouteConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    isPublic?: true;
  }
  interface FastifyInstance {
    isPublic?: true;
  }
}

/** Marks a route that needs no credentials. All other routes need them when they are configured. */
export function Public(): MethodDecorator {
  return applyDecorators(ExtendRouteConfig({ isPublic: true }), ApiOperation({ security: [] }));
}

/** Makes all routes and 404 responses of a Fastify plugin public. The plugin checks its own credentials. */
export function makePublic(plugin: FastifyInstance): void {
  plugin.decorate('isPublic', true);
}

/** @returns whether a request needs no credentials. Requests to unknown routes need them, except in a public plugin. */
export function isPublic({ routeOptions, server }: FastifyRequest): boolean {
  return routeOptions.config?.isPublic === true || server.isPublic === true;
}
