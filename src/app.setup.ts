import helmet from '@fastify/helmet';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { requireCredentials } from './http/access.js';
import { connectionOptions, mostConnections } from './http/connections.js';
import { serveDocs } from './http/docs.js';
import { OwnAddress } from './http/own-address.js';
import { acceptBodies } from './http/request-bodies.js';
import { limitRequests } from './http/request-limits.js';
import { NestLogger } from './logging/nest-logger.js';
import { RequestLog } from './logging/request-log.js';
import { simulator } from './simulator/simulator.js';

/** A request id of the caller's that can stand in a log and a header. */
const SANE_ID = /^[\w.:+/=-]{1,128}$/;

/** The program, ready to listen. */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    ...connectionOptions(config),
    bodyLimit: config.bodyLimit,
    // An id that is too long names nothing: 404, where Fastify would say 400.
    routerOptions: { maxParamLength: 20_000 },
    trustProxy: config.trustProxy,
    logController: new RequestLog(),
    logger: { level: config.logLevel },
    genReqId: ({ headers }: IncomingMessage) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
    },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply
        .header('X-Request-Id', request.id)
        .status(400)
        .send({ status: 400, error: 'Bad Request', message: error.message });
    },
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.for(config), adapter, {
    bodyParser: false,
    logger: new NestLogger(fastify.log),
    abortOnError: false,
  });
  setHeaders(fastify);
  await fastify.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      // Swagger UI carries its styles and some icons in itself; nothing comes from elsewhere.
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        frameAncestors: ["'self'"],
      },
    },
    strictTransportSecurity: config.publicUrl?.startsWith('https:') ?? false,
  });
  fastify.server.maxConnections = mostConnections(config);
  limitRequests(fastify, config);
  if (config.basicAuth) await requireCredentials(fastify, config.basicAuth);
  await acceptBodies(fastify, config.bodyLimit);
  if (config.answersApi) {
    if (config.platform.provider === 'simulator') {
      const address = app.get(OwnAddress);
      await fastify.register(simulator, {
        prefix: '/simulator',
        ...config.simulator,
        accountSid: config.platform.sid,
        authToken: config.platform.token,
        inboundUrl: async () => `${await address.outside()}/api/remote_phone_call_events`,
      });
    }
    fastify.get('/', (_request, reply) => reply.redirect('/docs'));
    serveDocs(app, config);
  }
  return app;
}

/** Headers that every answer has, under the names that people know: `Per-Page` where Fastify says `per-page`. */
function setHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'X-Request-Id': request.id, 'Cache-Control': 'max-age=0, private, must-revalidate' });
  });
  fastify.addHook('onSend', async (_request, reply) => {
    // Once we stop, a connection that was kept open would keep us from ending.
    if (!fastify.server.listening) reply.raw.setHeader('Connection', 'close');
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      reply.removeHeader(name);
      if (value !== undefined)
        reply.raw.setHeader(
          name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
          value,
        );
    }
  });
}
