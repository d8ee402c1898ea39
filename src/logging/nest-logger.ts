import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import { inspect } from 'node:util';
import { ConfigError } from '../config/config-error.js';
import { loggableError } from './loggable-error.js';

/** Gives Nest's own messages to Fastify's pino, so that there is one log. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  /** Nest tells at this level of every route and module that it has made ready. */
  log(message: unknown, context?: string): void {
    this.pino.debug({ context }, textOfMessage(message));
  }

  debug(message: unknown, context?: string): void {
    this.pino.debug({ context }, textOfMessage(message));
  }

  verbose(message: unknown, context?: string): void {
    this.pino.trace({ context }, textOfMessage(message));
  }

  warn(message: unknown, context?: string): void {
    this.pino.warn({ context }, textOfMessage(message));
  }

  error(message: unknown, ...details: unknown[]): void {
    // A start that fails for one is told in a sentence of its own (main.ts).
    if (message instanceof ConfigError) return;
    const err = details.find((detail) => detail instanceof Error) ?? message;
    this.pino.error(
      { context: details.at(-1), ...(err instanceof Error && { err: loggableError(err) }) },
      textOfMessage(message),
    );
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.error(message, ...details);
  }
}

/** Nest logs texts, and at times an error or an object. */
function textOfMessage(message: unknown): string {
  if (message instanceof Error) return `${message.name}: ${message.message}`;
  return typeof message === 'string' ? message : inspect(message);
}
