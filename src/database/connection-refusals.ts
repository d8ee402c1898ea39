import { ConfigError } from '../errors/config-error.js';
import { isDatabaseUnavailable } from './database-errors.js';

/**
 * Codes with which PostgreSQL refuses a connection or the migrations: wrong user or password, no matching entry in
 * pg_hba.conf, no such database, no privilege to connect or to create tables, no schema to create them in.
 */
const REFUSAL_CODES = /^(28P01|28000|3D000|42501|3F000)$/;

/**
 * Codes of Node.js for an invalid certificate and for a failed handshake. Source: the pages `tls` and `errors` of its
 * documentation.
 */
const TLS_CODES =
  /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;

/** The driver's message, which has no code, when the server does not support TLS. */
const NO_TLS_MESSAGE = /^The server does not support SSL connections/;

/** PostgreSQL cannot be used at the start. A later try may succeed. */
export class DatabaseUnavailableError extends ConfigError {}

/** @returns the error for a PostgreSQL that is unreachable, full or too busy; undefined for any other error */
export function toUnavailableError(error: unknown): DatabaseUnavailableError | undefined {
  if (!isDatabaseUnavailable(error)) return undefined;
  // For a host with several addresses there is one error for each of them, and no message for all.
  const { message } = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
  const reason = message.replace(/\.$/, '');
  return new DatabaseUnavailableError(`DATABASE_URL leads to a PostgreSQL that cannot be used now: ${reason}.`);
}

/** @returns the error for a failure that no later try can overcome; undefined for any other error */
export function toRefusalError(error: unknown): ConfigError | undefined {
  const { code, message } = Object(error) as NodeJS.ErrnoException;
  const reason = String(message).replace(/\.$/, '');
  if (REFUSAL_CODES.test(code ?? '')) return new ConfigError(`DATABASE_URL is refused by PostgreSQL: ${reason}.`);
  if (TLS_CODES.test(code ?? '')) {
    return new ConfigError(
      `DATABASE_URL leads to a server that cannot be trusted (${reason}): its host must be in the server's certificate, and the ` +
        'certificate’s CA in the file that sslrootcert or NODE_EXTRA_CA_CERTS names.',
    );
  }
  if (NO_TLS_MESSAGE.test(reason))
    return new ConfigError(`DATABASE_URL asks for TLS, which the server does not offer: ${reason}.`);
}
