import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { pino } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { requireCredentials } from './server/basic-auth.js';
import { ResponseHeadersAdapter } from './api/response-headers.adapter.js';
import { setResponseHeaders } from './server/response-headers.js';
import { rejectEncodedBodies } from './server/content-encoding.js';
import { compileTrustProxy } from './server/forwarded-headers.js';
import { enableConditionalRequests } from './server/conditional-requests.js';
import { connectionOptions, maxConnections } from './server/connections.js';
import { serveDocs } from './api/docs.js';
import { PublicUrl } from './telephony/public-url.js';
import { registerBodyParsers } from './server/request-bodies.js';
import { limitRequests } from './server/request-limits.js';
import { normalizeUrl } from './server/normalize-url.js';
import { rejectUnknownRoutes } from './server/unknown-routes.js';
import { NestLogger } from './logging/nest-logger.js';
import { RequestLog } from './server/request-log.js';
import { checkPhoneCallMachine } from './phone-calls/phone-call-transitions.js';
import { rejectUnsignedWebhooks } from './webhooks/unsigned-webhooks.js';
import { simulator } from './simulator/simulator.js';
import { ProviderAccounts } from './telephony/provider-accounts.js';

/** A client's request id that is safe in logs and headers. */
const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

/**
 * Log lines are buffered and written in batches, at the latest after 100 ms. The rest is written when the process
 * exits.
 */
const LOG_BUFFERING = { sync: false, minLength: 4_096, periodicFlush: 100 };

/**
 * Creates the application. It does not listen yet.
 * @throws StateMachineError when a state machine is defined inconsistently
 */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  checkPhoneCallMachine();
  const trustProxy = compileTrustProxy(config.trustProxy);
  const options: FastifyHttpOptions<Server> = {
    ...connectionOptions(config),
    bodyLimit: config.bodyLimit,
    rewriteUrl: normalizeUrl,
    // A path with a very long id is 404. With its default limit, Fastify would respond with 400.
    routerOptions: { maxParamLength: 20_000 },
    trustProxy,
    logController: new RequestLog(),
    logger: { level: config.logLevel, stream: pino.destination(LOG_BUFFERING) },
    genReqId: ({ headers }: IncomingMessage) => {
      const id = headers['x-request-id'];
      return typeof id === 'string' && REQUEST_ID.test(id) ? id : randomUUID();
    },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply
        .header('X-Request-Id', request.id)
        .status(400)
        .send({ status: 400, error: 'Bad Request', message: error.message });
    },
  };
  const adapter = new ResponseHeadersAdapter(options, config.publicUrl, trustProxy);
  const fastify = adapter.getInstance<FastifyInstance>();
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.for(config), adapter, {
    bodyParser: false,
    logger: new NestLogger(fastify.log),
    abortOnError: false,
  });
  setResponseHeaders(fastify, config);
  fastify.server.maxConnections = maxConnections(config);
  rejectUnsignedWebhooks(fastify);
  limitRequests(fastify, config);
  if (config.basicAuth) await requireCredentials(fastify, config.basicAuth);
  rejectUnknownRoutes(fastify);
  rejectEncodedBodies(fastify);
  enableConditionalRequests(fastify);
  await registerBodyParsers(fastify, config.bodyLimit);
  if (config.servesApi) {
    if (config.platform.provider === 'simulator') {
      const publicUrl = app.get(PublicUrl);
      await fastify.register(simulator, {
        prefix: '/simulator',
        ...config.simulator,
        account: app.get(ProviderAccounts).current,
        ownAddresses: () => publicUrl.all(),
        inboundUrl: async () => `${await publicUrl.get()}/api/remote_phone_call_events`,
      });
    }
    fastify.get('/', (_request, reply) => reply.redirect('/docs'));
    serveDocs(app, config);
  }
  return app;
}
