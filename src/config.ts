import { resolve } from 'node:path';

/** What a process does: answer the API (`web`), run the background work (`worker`), or both (`all`). */
export type Role = 'web' | 'worker' | 'all';

export type DatabaseConfig = { kind: 'sqlite'; path: string } | { kind: 'postgres'; url: string };

/** A variable of the environment has a value that the program cannot run with. `message` is one sentence that names it. */
export class ConfigError extends Error {}

/** Everything that is chosen from outside, read once and validated. Nothing else in the program reads the environment. */
export class Config {
  readonly host!: string;
  readonly port!: number;
  readonly database!: DatabaseConfig;
  /** Connections that one process opens to PostgreSQL at the most. */
  readonly databasePool!: number;
  /** Unset: jobs run in this process. */
  readonly redisUrl?: string;
  readonly role!: Role;
  readonly logLevel!: string;
  /** How the outside reaches us, without a slash at the end. Unset: what the request says. */
  readonly publicUrl?: string;
  /** What Fastify's `trustProxy` takes: whose `X-Forwarded-…` headers are believed. */
  readonly trustProxy!: boolean | string;
  /** The largest request body, in bytes. */
  readonly bodyLimit!: number;
  readonly basicAuth?: { user: string; password: string };
  /** Seconds for which a worker owns the batch it runs, unless it renews: what a killed worker's batch waits at the most. */
  readonly leaseSeconds!: number;
  /** Seconds between two looks for work that nobody was told of. */
  readonly sweepSeconds!: number;

  get answersApi(): boolean {
    return this.role !== 'worker';
  }

  get runsWork(): boolean {
    return this.role !== 'web';
  }
}

type Environment = Record<string, string | undefined>;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * The configuration that `env` describes; an empty value counts as unset.
 * @throws ConfigError on the first value that is not usable
 */
export function readConfig(env: Environment): Config {
  const config: Config = Object.assign(new Config(), {
    host: env.HOST || '127.0.0.1',
    port: whole(env, 'PORT', 3000, 0, 65535),
    database: readDatabase(env),
    databasePool: whole(env, 'DATABASE_POOL', 10, 2, 1000),
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:'], 'redis://localhost:6379'),
    role: oneOf(env, 'SCFM_ROLE', ['web', 'worker', 'all'] as const, 'all'),
    logLevel: oneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    publicUrl: url(env, 'PUBLIC_URL', ['http:', 'https:'], 'https://scfm.example.org')?.replace(/\/+$/, ''),
    trustProxy: readTrustProxy(env),
    bodyLimit: whole(env, 'BODY_LIMIT', 1_048_576, 1024, 104_857_600),
    basicAuth: readBasicAuth(env),
    leaseSeconds: whole(env, 'WORK_LEASE_SECONDS', 15, 1, 3600),
    sweepSeconds: whole(env, 'SWEEP_SECONDS', 2, 1, 3600),
  });
  if (!LOOPBACK.test(config.host) && !config.basicAuth && !flag(env, 'ALLOW_ANONYMOUS')) {
    throw new ConfigError(
      `HOST is ${config.host}, which others can reach: set HTTP_BASIC_AUTH_USER and HTTP_BASIC_AUTH_PASSWORD, ` +
        'or say ALLOW_ANONYMOUS=true if anyone who reaches it may use it.',
    );
  }
  return config;
}

/**
 * Which database `DATABASE_URL` means: a file (`sqlite:path`, the default `sqlite:data/scfm.sqlite3`) or a PostgreSQL server.
 * @throws ConfigError when it is neither
 */
export function readDatabase(env: Environment): DatabaseConfig {
  const value = env.DATABASE_URL || 'sqlite:data/scfm.sqlite3';
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return { kind: 'postgres', url: value };
  const path = /^sqlite:(?:\/\/)?(.+)$/.exec(value)?.[1];
  if (path) return { kind: 'sqlite', path: resolve(path) };
  throw new ConfigError('DATABASE_URL must be sqlite:path/to/file or postgres://user:password@host:5432/name.');
}

function readBasicAuth(env: Environment): Config['basicAuth'] {
  const user = env.HTTP_BASIC_AUTH_USER;
  const password = env.HTTP_BASIC_AUTH_PASSWORD;
  if (!user && !password) return undefined;
  if (!user) throw new ConfigError('HTTP_BASIC_AUTH_USER must be set when HTTP_BASIC_AUTH_PASSWORD is.');
  if (user.includes(':')) throw new ConfigError('HTTP_BASIC_AUTH_USER must not hold a colon.');
  return { user, password: password ?? '' };
}

function readTrustProxy(env: Environment): boolean | string {
  const value = env.TRUST_PROXY || 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  if (/^[\da-f.:/, ]+$|^(loopback|linklocal|uniquelocal)(, ?(loopback|linklocal|uniquelocal))*$/i.test(value))
    return value;
  throw new ConfigError('TRUST_PROXY must be true, false, or a list of addresses or ranges such as 10.0.0.0/8.');
}

function whole(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const value = env[name] || String(fallback);
  if (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw new ConfigError(`${name} must be a whole number from ${least} to ${most}.`);
}

function oneOf<T extends string>(env: Environment, name: string, allowed: readonly T[], fallback: T): T {
  const value = env[name] || fallback;
  const found = allowed.find((one) => one === value);
  if (found) return found;
  throw new ConfigError(`${name} must be one of ${allowed.join(', ')}.`);
}

function url(env: Environment, name: string, protocols: string[], example: string): string | undefined {
  const value = env[name];
  if (!value) return undefined;
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
  throw new ConfigError(`${name} must be a URL such as ${example}.`);
}

function flag(env: Environment, name: string): boolean {
  return oneOf(env, name, ['true', 'false'] as const, 'false') === 'true';
}
