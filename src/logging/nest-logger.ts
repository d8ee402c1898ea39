import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import { inspect } from 'node:util';
import { ConfigError } from '../errors/config-error.js';
import { loggableError } from './loggable-error.js';

/** Sends Nest's messages to Fastify's pino logger, so that there is one log. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  /** Nest logs every route and module that it initializes at this level, so it becomes `debug`. */
  log(message: unknown, context?: string): void {
    this.pino.debug({ context }, formatMessage(message));
  }

  debug(message: unknown, context?: string): void {
    this.pino.debug({ context }, formatMessage(message));
  }

  verbose(message: unknown, context?: string): void {
    this.pino.trace({ context }, formatMessage(message));
  }

  warn(message: unknown, context?: string): void {
    this.pino.warn({ context }, formatMessage(message));
  }

  error(message: unknown, ...details: unknown[]): void {
    // main.ts prints it as one sentence.
    if (message instanceof ConfigError) return;
    const err = details.find((detail) => detail instanceof Error) ?? message;
    this.pino.error(
      { context: details.at(-1), ...(err instanceof Error && { err: loggableError(err) }) },
      formatMessage(message),
    );
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.error(message, ...details);
  }
}

/** Nest's messages are texts, and sometimes errors or objects. */
function formatMessage(message: unknown): string {
  if (message instanceof Error) return `${message.name}: ${message.message}`;
  return typeof message === 'string' ? message : inspect(message);
}
