import type { ConnectionOptions } from 'node:tls';
import { readCertificates } from './certificates.js';
import { ConfigError } from '../errors/config-error.js';
import type { Environment } from './environment.js';
import { readCredentials, parseUrl } from './urls.js';

/** The connection options of ioredis. With `tls`, the connection is encrypted, or it fails. */
export interface RedisConfig {
  host: string;
  port: number;
  username?: string;
  password?: string;
  db: number;
  tls?: Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized'>;
}

const EXAMPLE = 'redis://user:password@localhost:6379/0 or rediss://…';

/**
 * Reads `REDIS_URL`. The URL parser of Bull is not used, because it reads `rediss://` as `redis://`.
 *
 * @returns undefined when `REDIS_URL` is unset: jobs run in the process
 * @throws ConfigError when `REDIS_URL` or `REDIS_CA_FILE` cannot be used
 */
export function readRedis(env: Environment): RedisConfig | undefined {
  const caFile = env.REDIS_CA_FILE;
  const url = parseUrl(env, 'REDIS_URL', ['redis:', 'rediss:'], EXAMPLE);
  const isEncrypted = url?.protocol === 'rediss:';
  if (caFile && !isEncrypted) {
    throw new ConfigError(
      'REDIS_CA_FILE must be unset unless REDIS_URL begins with rediss://, since other connections are not encrypted.',
    );
  }
  if (!url) return undefined;
  const db = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (!url.hostname || db === undefined || url.search || url.hash)
    throw new ConfigError(`REDIS_URL must be a URL such as ${EXAMPLE}, with nothing after the number of the database.`);
  const { username, password = username } = readCredentials('REDIS_URL', url);
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    // In `redis://secret@host`, the secret is a password, as in Bull: a user without a password has no meaning.
    ...(password !== undefined && { password }),
    ...(username !== undefined && url.password && { username }),
    db: Number(db),
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect.
    ...(isEncrypted && {
      tls: { rejectUnauthorized: true, ...(caFile && { ca: readCertificates('REDIS_CA_FILE', caFile) }) },
    }),
  };
}
