import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SimulatorConfig } from '../config/config.js';
import type { Account } from '../config/platform.js';
import { equalsInConstantTime } from '../server/constant-time.js';
import { GuessLimiter, TOO_MANY_WRONG_CREDENTIALS } from '../server/guess-limiter.js';
import { sendError } from '../api/error.filter.js';
import { makePublic } from '../server/public.js';
import { BadRequestError } from '../errors/errors.js';
import { AllowedOrigins } from './allowed-origins.js';
import { serveCalls } from './calls-api.js';
import { serveControls } from './controls.js';
import { SimulatedProvider } from './simulated-provider.js';
import { TwilioError, invalidRequest, notFound } from './twilio-error.js';

export interface SimulatorOptions extends SimulatorConfig {
  /** Authenticates requests to the calls API, and signs webhooks. */
  account: Account;
  /** Resolves to the addresses of this program, which the simulator may request. */
  ownAddresses: () => Promise<string[]>;
  /** Resolves to the webhook that is requested when a person calls in. */
  inboundUrl: () => Promise<string>;
}

/**
 * A Fastify plugin that simulates a telephony provider: Twilio's REST API of calls, people who answer, and faults on
 * request. Register it under a prefix. The calls API authenticates the simulator's account. Access to the controls is
 * up to the code that registers the plugin.
 */
export async function simulator(fastify: FastifyInstance, options: SimulatorOptions): Promise<void> {
  const origins = new AllowedOrigins(options.ownAddresses, options.allowedOrigins);
  const provider = new SimulatedProvider(options, options.account, origins, fastify.log);
  fastify.addHook('onClose', async () => provider.close());
  fastify.setErrorHandler(sendTwilioError);
  fastify.setNotFoundHandler(throwNotFound);
  await fastify.register(
    async (calls) => {
      makePublic(calls);
      requireAccount(calls, options.account);
      calls.setNotFoundHandler(throwNotFound);
      serveCalls(calls, provider);
    },
    { prefix: '/2010-04-01' },
  );
  await fastify.register(async (controls) => serveControls(controls, provider, options.inboundUrl));
}

/**
 * Requires the account's id and token, and that the path is about that account. Guesses are limited as those at the
 * API's password are, and counted apart from them.
 */
function requireAccount(fastify: FastifyInstance, { sid, token }: Account): void {
  const guesses = new GuessLimiter();
  fastify.addHook('onRequest', async (request, reply) => {
    if (!guesses.isAllowed(request, reply)) throw new TwilioError(429, 20429, TOO_MANY_WRONG_CREDENTIALS);
    const [, encoded = ''] = /^basic +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (!equalsInConstantTime(Buffer.from(encoded, 'base64').toString(), `${sid}:${token}`)) {
      guesses.recordWrongGuess(request);
      reply.header('WWW-Authenticate', 'Basic realm="Twilio API"');
      throw new TwilioError(401, 20003, 'Authenticate');
    }
    const { account = sid } = request.params as { account?: string };
    if (account !== sid) throw notFound(request);
  });
}

function throwNotFound(request: FastifyRequest): never {
  throw notFound(request);
}

/** Sends client errors in Twilio's format. Any other error is sent as everywhere in the program. */
function sendTwilioError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const twilioError = toTwilioError(error);
  if (!twilioError) return sendError(error, request, reply);
  void reply.status(twilioError.status).send(twilioError.toBody());
}

/** Returns undefined for an error that the client did not cause. */
function toTwilioError(error: FastifyError): TwilioError | undefined {
  if (error instanceof TwilioError) return error;
  if (error instanceof BadRequestError) return invalidRequest(error.message);
  const { statusCode = 500, message } = error;
  if (statusCode === 413) return new TwilioError(413, 20413, message);
  return [400, 415].includes(statusCode) ? invalidRequest(message) : undefined;
}
