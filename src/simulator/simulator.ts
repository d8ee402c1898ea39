import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Account, SimulatorConfig } from '../config.js';
import { GuessLimiter, TOO_MANY_WRONG, same } from '../http/access.js';
import { sendError } from '../http/error.filter.js';
import { Unreadable } from '../http/errors.js';
import { AllowedOrigins } from './allowed-origins.js';
import { serveCalls } from './calls-api.js';
import { serveControls } from './controls.js';
import { Exchange } from './exchange.js';
import { TwilioError, invalid, notFound } from './twilio-error.js';

export interface SimulatorOptions extends SimulatorConfig {
  /** What the calls API asks for, and what webhooks are signed with. */
  account: Account;
  /** Addresses of this program, which the simulator may fetch. */
  ownAddresses: () => Promise<string[]>;
  /** The webhook that is asked when a person calls in. */
  inboundUrl: () => Promise<string>;
}

/**
 * A provider in the box: Twilio's HTTP API of calls, people who answer them, and faults on request. To be registered under a prefix.
 * The calls API asks for the simulator's account; who may use the controls is decided where the plugin is registered.
 */
export async function simulator(fastify: FastifyInstance, options: SimulatorOptions): Promise<void> {
  const origins = new AllowedOrigins(options.ownAddresses, options.allowedOrigins);
  const exchange = new Exchange(options, options.account, origins, fastify.log);
  fastify.addHook('onClose', async () => exchange.close());
  fastify.setErrorHandler(answerError);
  fastify.setNotFoundHandler(refuseUnknownRoute);
  await fastify.register(
    async (calls) => {
      requireAccount(calls, options.account);
      calls.setNotFoundHandler(refuseUnknownRoute);
      serveCalls(calls, exchange);
    },
    { prefix: '/2010-04-01' },
  );
  await fastify.register(async (controls) => serveControls(controls, exchange, options.inboundUrl));
}

/**
 * Requires the account's id and token, and that the path is about that account. Guesses are limited as those at the
 * API's password are, and counted apart from them.
 */
function requireAccount(fastify: FastifyInstance, { sid, token }: Account): void {
  const guesses = new GuessLimiter();
  fastify.addHook('onRequest', async (request, reply) => {
    if (!guesses.isAllowed(request, reply)) throw new TwilioError(429, 20429, TOO_MANY_WRONG);
    const [, encoded = ''] = /^basic +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (!same(Buffer.from(encoded, 'base64').toString(), `${sid}:${token}`)) {
      guesses.recordWrong(request);
      reply.header('WWW-Authenticate', 'Basic realm="Twilio API"');
      throw new TwilioError(401, 20003, 'Authenticate');
    }
    const { account = sid } = request.params as { account?: string };
    if (account !== sid) throw notFound(request);
  });
}

function refuseUnknownRoute(request: FastifyRequest): never {
  throw notFound(request);
}

/** Answers what is wrong with a request in Twilio's shape. Everything else is answered as everywhere in the program. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const answer = twilioErrorOf(error);
  if (!answer) return sendError(error, request, reply);
  void reply.status(answer.status).send(answer.toBody());
}

/** Undefined when the request never came to the simulator, or when something went wrong inside. */
function twilioErrorOf(error: FastifyError): TwilioError | undefined {
  if (error instanceof TwilioError) return error;
  if (error instanceof Unreadable) return invalid(error.message);
  const { statusCode = 500, message } = error;
  if (statusCode === 413) return new TwilioError(413, 20413, message);
  return [400, 415].includes(statusCode) ? invalid(message) : undefined;
}
