import { readFileSync } from 'node:fs';
import { type SecureContextOptions, createSecureContext } from 'node:tls';
import { readCertificates } from './certificates.js';
import { ConfigError } from '../errors/config-error.js';
import { readCredentials, decodePart } from './urls.js';

/** How to connect to a PostgreSQL server. */
export interface PostgresConfig {
  kind: 'postgres';
  /** The URL without its TLS parameters. */
  url: string;
  /** The `ssl` option of node-postgres. `false`: no TLS. Undefined: `PGSSLMODE` decides. */
  ssl?: false | (SecureContextOptions & { rejectUnauthorized: boolean });
  /** The TLS parameters for programs that use libpq, such as `pg_dump`. */
  libpq: Readonly<Record<string, string>>;
}

/** Matches TLS parameters and misspellings of them. If one is ignored, the connection is not encrypted. */
const IS_FOR_TLS = /^(?:ssl|uselibpqcompat$)/i;

/** The TLS parameters. */
const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'ssl'] as const;

type TlsParameters = Partial<Record<(typeof TLS_PARAMETERS)[number], string>>;

/**
 * The meaning of each value of `sslmode`. In the weaker modes, libpq does not verify the server, so another machine
 * could impersonate it. Here they verify it, too.
 */
const SSL_MODES: Readonly<Record<string, 'none' | 'unverified' | 'verified'>> = {
  disable: 'none',
  'no-verify': 'unverified',
  allow: 'verified',
  prefer: 'verified',
  require: 'verified',
  'verify-ca': 'verified',
  'verify-full': 'verified',
};

/** The values of `ssl`, an older parameter, as values of `sslmode`. */
const SSL_ALIASES: Readonly<Record<string, string>> = {
  true: 'verify-full',
  1: 'verify-full',
  false: 'disable',
  0: 'disable',
  'no-verify': 'no-verify',
};

/**
 * Reads the URL of a PostgreSQL server, and the files that its TLS parameters name. This is not left to node-postgres:
 * it would read the files again for each connection, obey `NODE_TLS_REJECT_UNAUTHORIZED`, and verify less in its next
 * major version.
 *
 * @param value a valid URL
 * @throws ConfigError when a part cannot be decoded, or a TLS parameter cannot be used
 */
export function readPostgres(value: string): PostgresConfig {
  const url = new URL(value);
  // The driver decodes these parts, and fails if it cannot.
  readCredentials('DATABASE_URL', url);
  decodePart('DATABASE_URL', url.host + url.pathname + url.search);
  // URLSearchParams would decode `+` as a space, which libpq does not.
  const parameters = url.search
    .slice(1)
    .split('&')
    .filter(Boolean)
    .map((text) => ({ text, ...parseParameter(text) }));
  const forTls = parameters.filter(({ name }) => IS_FOR_TLS.test(name));
  if (forTls.length === 0) return { kind: 'postgres', url: value, libpq: {} };
  url.search = parameters
    .filter((parameter) => !forTls.includes(parameter))
    .map(({ text }) => text)
    .join('&');
  const given = Object.fromEntries(forTls.map((parameter) => [parameter.name, parameter.value]));
  return { kind: 'postgres', url: url.href, ...readTls(given) };
}

function parseParameter(text: string): { name: string; value: string } {
  const [name = '', ...value] = text.split('=').map(decodeURIComponent);
  return { name, value: value.join('=') };
}

function readTls(given: Readonly<Record<string, string>>): Pick<PostgresConfig, 'ssl' | 'libpq'> {
  for (const name of Object.keys(given)) {
    if ((TLS_PARAMETERS as readonly string[]).includes(name)) continue;
    throw new ConfigError(
      `DATABASE_URL must not have the parameter ${name}: those for TLS are sslmode, sslrootcert, sslcert and sslkey.`,
    );
  }
  const { ssl, sslmode = ssl === undefined ? 'verify-full' : SSL_ALIASES[ssl], ...files }: TlsParameters = given;
  const mode = Object.hasOwn(SSL_MODES, sslmode ?? '') ? SSL_MODES[sslmode!] : undefined;
  if (!mode) throw new ConfigError(`DATABASE_URL’s sslmode must be one of ${Object.keys(SSL_MODES).join(', ')}.`);
  if (mode === 'none') return { ssl: false, libpq: { sslmode: 'disable' } };
  const { sslrootcert, ...own } = files;
  const ca =
    sslrootcert && sslrootcert !== 'system' ? readCertificates('DATABASE_URL’s sslrootcert', sslrootcert) : undefined;
  const verifies = mode === 'verified';
  return {
    ssl: { ...readClientCertificate(own), ...(ca && { ca }), rejectUnauthorized: verifies },
    // With sslrootcert, libpq's `require` verifies, too.
    libpq: verifies ? { ...files, sslmode: 'verify-full' } : { ...own, sslmode: 'require' },
  };
}

/** Reads the client certificate and its key. */
function readClientCertificate({ sslcert, sslkey }: TlsParameters): SecureContextOptions {
  if (!sslcert && !sslkey) return {};
  try {
    const own = { cert: readFileSync(sslcert ?? '', 'utf8'), key: readFileSync(sslkey ?? '', 'utf8') };
    createSecureContext(own);
    return own;
  } catch (error) {
    throw new ConfigError(
      `DATABASE_URL’s sslcert and sslkey must be a certificate and its key in PEM: ${(error as Error).message}.`,
    );
  }
}
