import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { pino } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { requireCredentials } from './server/access.js';
import { ResponseHeadersAdapter } from './api/response-headers.adapter.js';
import { setAnswerHeaders } from './server/answer-headers.js';
import { refuseEncodedBodies } from './server/body-encoding.js';
import { trustOf } from './server/client-address.js';
import { answerConditionally } from './server/conditional-answers.js';
import { connectionOptions, mostConnections } from './server/connections.js';
import { serveDocs } from './api/docs.js';
import { PublicUrl } from './telephony/public-url.js';
import { acceptBodies } from './server/request-bodies.js';
import { limitRequests } from './server/request-limits.js';
import { routedUrl } from './server/tolerant-paths.js';
import { refuseUnknownRoutes } from './server/unknown-routes.js';
import { NestLogger } from './logging/nest-logger.js';
import { RequestLog } from './server/request-log.js';
import { checkPhoneCallMachine } from './phone-calls/phone-call-transitions.js';
import { rejectUnsignedWebhooks } from './webhooks/unsigned-webhooks.js';
import { simulator } from './simulator/simulator.js';
import { ProviderAccounts } from './telephony/provider-accounts.js';

/** A request id of the caller's that can stand in a log and a header. */
const SANE_ID = /^[\w.:+/=-]{1,128}$/;

/** Lines go out together, a moment later when there are few, instead of one write a request; what is left, when the process exits. */
const LOG = { sync: false, minLength: 4_096, periodicFlush: 100 };

/**
 * The program, ready to listen.
 * @throws StateMachineError when the tables of a state machine are wrong
 */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  checkPhoneCallMachine();
  const trusts = trustOf(config.trustProxy);
  const options: FastifyHttpOptions<Server> = {
    ...connectionOptions(config),
    bodyLimit: config.bodyLimit,
    rewriteUrl: routedUrl,
    // An id that is too long names nothing: 404, where Fastify would say 400.
    routerOptions: { maxParamLength: 20_000 },
    trustProxy: trusts,
    logController: new RequestLog(),
    logger: { level: config.logLevel, stream: pino.destination(LOG) },
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
  };
  const adapter = new ResponseHeadersAdapter(options, config.publicUrl, trusts);
  const fastify = adapter.getInstance<FastifyInstance>();
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.for(config), adapter, {
    bodyParser: false,
    logger: new NestLogger(fastify.log),
    abortOnError: false,
  });
  setAnswerHeaders(fastify, config);
  fastify.server.maxConnections = mostConnections(config);
  rejectUnsignedWebhooks(fastify);
  limitRequests(fastify, config);
  if (config.basicAuth) await requireCredentials(fastify, config.basicAuth);
  refuseUnknownRoutes(fastify);
  refuseEncodedBodies(fastify);
  answerConditionally(fastify);
  await acceptBodies(fastify, config.bodyLimit);
  if (config.answersApi) {
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
