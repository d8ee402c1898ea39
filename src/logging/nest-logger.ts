import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import { inspect } from 'node:util';
import { ConfigError } from '../errors/config-error.js';
import { loggableError } from './loggable-error.js';

/** Writes the messages of Nest to the pino logger of Fastify, so that the program has one log. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  /** Logs at the level `debug`, because Nest reports each route and module at this level. */
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
    // main.ts prints this error as one sentence.
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

/** A message of Nest is a text, an error or an object. */
function formatMessage(message: unknown): string {
  if (message instanceof Error) return `${message.name}: ${message.message}`;
  return typeof message === 'string' ? message : inspect(message);
}
