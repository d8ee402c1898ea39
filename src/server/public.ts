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

/** The route needs no credentials. Every other route needs them when they are configured. */
export function Public(): MethodDecorator {
  return applyDecorators(ExtendRouteConfig({ isPublic: true }), ApiOperation({ security: [] }));
}

/** Makes all routes of a Fastify plugin public, and its 404 answers: the plugin checks credentials of its own. */
export function makePublic(plugin: FastifyInstance): void {
  plugin.decorate('isPublic', true);
}

/** Whether a request needs no credentials. An unknown route needs them, except within a public plugin. */
export function isPublic({ routeOptions, server }: FastifyRequest): boolean {
  return routeOptions.config?.isPublic === true || server.isPublic === true;
}
