import { ConfigError } from '../errors/config-error.js';
import { isDatabaseUnavailable } from './outage.js';

/**
 * The server's refusals: a wrong user or password, no entry for us in its pg_hba.conf, no such database; no privilege
 * to connect or to create the tables, no schema to create them in.
 */
const REFUSED = /^(28P01|28000|3D000|42501|3F000)$/;

/**
 * What Node says of TLS: of a certificate that does not hold, and of a handshake that fails. Source: its `tls` and
 * `errors` pages.
 */
const UNTRUSTED =
  /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;

/** What the driver says, without a code, when TLS is asked of a server that has none. */
const NO_TLS = /^The server does not support SSL connections/;

/** PostgreSQL cannot be used at the start. A later try may succeed. */
export class DatabaseUnavailable extends ConfigError {}

/** The sentence for a PostgreSQL that is away, full or too busy; undefined for any other error. */
export function unavailabilityOf(error: unknown): DatabaseUnavailable | undefined {
  if (!isDatabaseUnavailable(error)) return undefined;
  // A host with several addresses has one error for each, and no message of its own.
  const { message } = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
  const reason = message.replace(/\.$/, '');
  return new DatabaseUnavailable(`DATABASE_URL leads to a PostgreSQL that cannot be used now: ${reason}.`);
}

/** The sentence for what no later try to open the database can overcome; undefined when a later try may. */
export function refusalOf(error: unknown): ConfigError | undefined {
  const { code, message } = Object(error) as NodeJS.ErrnoException;
  const told = String(message).replace(/\.$/, '');
  if (REFUSED.test(code ?? '')) return new ConfigError(`DATABASE_URL is refused by PostgreSQL: ${told}.`);
  if (UNTRUSTED.test(code ?? '')) {
    return new ConfigError(
      `DATABASE_URL leads to a server that cannot be trusted (${told}): its host must be in the server's certificate, and the ` +
        'certificate’s CA in the file that sslrootcert or NODE_EXTRA_CA_CERTS names.',
    );
  }
  if (NO_TLS.test(told)) return new ConfigError(`DATABASE_URL asks for TLS, which the server does not offer: ${told}.`);
}
