import type { ConnectionOptions } from 'node:tls';
import { readCertificates } from './certificates.js';
import { ConfigError, type Environment } from './environment.js';
import { credentialsOf, parseUrl } from './urls.js';

/** Where Redis is, as ioredis takes it. With `tls` the connection is encrypted, or there is none. */
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
 * The Redis of `REDIS_URL`. Bull's own reader of URLs is not used: it takes `rediss://` for `redis://`.
 *
 * @returns undefined when it is unset: jobs run in the process
 * @throws ConfigError when it, or `REDIS_CA_FILE`, cannot be used
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
  const { username, password = username } = credentialsOf('REDIS_URL', url);
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    // `redis://secret@host` is a password, as Bull reads it: a user is nothing without one.
    ...(password !== undefined && { password }),
    ...(username !== undefined && url.password && { username }),
    db: Number(db),
    // Said here, since NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise count.
    ...(isEncrypted && {
      tls: { rejectUnauthorized: true, ...(caFile && { ca: readCertificates('REDIS_CA_FILE', caFile) }) },
    }),
  };
}
