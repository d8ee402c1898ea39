import { resolve } from 'node:path';
import { type CallFlowName, callFlowNames } from './call-flows/call-flow.names.js';
import { type RegistrationScript, readRegistrationScript } from './call-flows/registration-script.js';
import { ConfigError, type Environment, trimmed } from './config/environment.js';
import { type PostgresConfig, readPostgres } from './config/postgres.js';
import { type RedisConfig, readRedis } from './config/redis.js';
import { readTrustProxy } from './config/trust-proxy.js';
import { readWebUrl } from './config/urls.js';

export { ConfigError } from './config/environment.js';

/** What a process does: answer the API (`web`), run the background work (`worker`), or both (`all`). */
export type Role = 'web' | 'worker' | 'all';

export type DatabaseConfig = { kind: 'sqlite'; path: string } | PostgresConfig;

/** An account at a provider that speaks Twilio's API. */
export interface Account {
  sid: string;
  /** Proves our requests to the provider, and the provider's webhooks to us. */
  token: string;
}

const providers = ['twilio', 'somleng', 'simulator'] as const;

type ProviderName = (typeof providers)[number];

/** The provider that places the calls. */
export interface Platform {
  provider: ProviderName;
  /** Where its API is, without the version and without a slash at the end. Unset: the simulator within this very program. */
  baseUrl?: string;
}

/** Everything that is chosen from outside, read once and validated. Nothing else in the program reads the environment. */
export class Config {
  readonly host!: string;
  readonly port!: number;
  readonly database!: DatabaseConfig;
  /** Connections that one process opens to PostgreSQL at the most. */
  readonly databasePool!: number;
  /** Seconds that a list may take the database, before its client is told to narrow it. */
  readonly readTimeout!: number;
  /** Seconds that a request waits for a connection to PostgreSQL: for a new one, or for one of the pool. */
  readonly databaseWait!: number;
  /** Unset: jobs run in this process. */
  readonly redis?: RedisConfig;
  readonly role!: Role;
  readonly logLevel!: string;
  /** How the outside reaches us, without a slash at the end. Unset: what the request says. */
  readonly publicUrl?: string;
  /** What Fastify's `trustProxy` takes: whose `X-Forwarded-…` headers are believed. */
  readonly trustProxy!: boolean | string;
  /** The largest request body, in bytes. */
  readonly bodyLimit!: number;
  /** Seconds in which a request must have arrived. */
  readonly requestTimeout!: number;
  /** Requests that one process works on at once at the most, but for webhooks; those above are refused. */
  readonly maxRequests!: number;
  /** The provider's webhooks that one process works on at once at the most. They are not repeated, so there are more of them than come in a burst. */
  readonly maxWebhooks!: number;
  readonly basicAuth?: { user: string; password: string };
  /** Seconds for which a worker owns the batch it runs, unless it renews: what a killed worker's batch waits at the most. */
  readonly leaseSeconds!: number;
  /** Seconds between two looks for work that nobody was told of. */
  readonly sweepSeconds!: number;
  /** How long events are kept (days). */
  readonly eventsKeptDays!: number;

  readonly platform!: Platform;
  /** The accounts at real providers. That of the chosen provider is there, unless that is the simulator. */
  readonly accounts!: Readonly<Partial<Record<Exclude<ProviderName, 'simulator'>, Account>>>;
  /** Calls placed in a second at the most, by all processes together. */
  readonly callsPerSecond!: number;
  /** Calls at the provider at the same time at the most. Unset: as many as the pace makes. */
  readonly maxCallsInFlight?: number;
  /** Questions after calls in a second at the most, by all processes together. */
  readonly fetchesPerSecond!: number;
  /** Seconds of silence after which the provider is asked what became of a call. */
  readonly reconcileAfter!: number;
  /** How long to keep looking for a call whose acceptance by the provider is unknown (s): as long as its queue may hold a call. */
  readonly uncertainFor!: number;
  /** Seconds that a request to the provider may take. */
  readonly providerTimeout!: number;
  /** What is said where neither phone call, participation nor callout name a call flow. */
  readonly defaultCallFlow!: CallFlowName;
  /** What people hear who call in of their own accord. Unset: the default. */
  readonly inboundCallFlow?: CallFlowName;
  /** The key with which a person asks for no more calls. Unset: there is none. */
  readonly optOutKey?: string;
  /** What people who call in are asked. */
  readonly registration!: RegistrationScript;
  readonly simulator!: SimulatorConfig;

  get answersApi(): boolean {
    return this.role !== 'worker';
  }

  get runsWork(): boolean {
    return this.role !== 'web';
  }
}

/** The simulator's account, what it may fetch, and how the people behave whom it calls. Shares are from 0 to 1. */
export interface SimulatorConfig {
  /** Unset: an id that belongs to nobody. */
  accountSid?: string;
  /** Unset: the token that is kept in the database. */
  authToken?: string;
  /** Origins that the simulator fetches beside our own: `http://127.0.0.1:4000`, or `http://127.0.0.1:*` for any port. */
  allowedOrigins: readonly string[];
  seed: number;
  /** How much faster than life. */
  speed: number;
  busy: number;
  noAnswer: number;
  failed: number;
  machine: number;
  /** Of those who are asked to press a key. */
  confirms: number;
}

/** One for lists, one for what else clients ask for, one for webhooks and background work. */
const FEWEST_CONNECTIONS = 3;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;
/** An address that only this machine reaches, or that is none. */
const NOT_PUBLIC = /^(127(\.\d{1,3}){3}|::1?|0\.0\.0\.0|(.+\.)?localhost)\.?$/;

/**
 * The configuration that the environment describes. An empty value counts as unset, and white space around a value does not count.
 * @param names takes the name of each setting
 * @throws ConfigError on the first value that is not usable
 */
export function readConfig(environment: Environment, names?: Set<string>): Config {
  const env = trimmed(environment, names);
  const config: Config = Object.assign(new Config(), {
    host: env.HOST || '127.0.0.1',
    port: whole(env, 'PORT', 3000, 0, 65535),
    database: readDatabase(env),
    databasePool: Math.max(FEWEST_CONNECTIONS, whole(env, 'DATABASE_POOL', 10, 2, 1000)),
    readTimeout: whole(env, 'READ_TIMEOUT', 15, 1, 300),
    databaseWait: whole(env, 'DATABASE_WAIT', 10, 1, 300),
    redis: readRedis(env),
    role: oneOf(env, 'SCFM_ROLE', ['web', 'worker', 'all'] as const, 'all'),
    logLevel: oneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    publicUrl: readWebUrl(env, 'PUBLIC_URL', 'https://scfm.example.org'),
    trustProxy: readTrustProxy(env),
    bodyLimit: whole(env, 'BODY_LIMIT', 1_048_576, 1024, 104_857_600),
    requestTimeout: whole(env, 'REQUEST_TIMEOUT', 60, 1, 3600),
    maxRequests: whole(env, 'MAX_CONCURRENT_REQUESTS', 500, 1, 100_000),
    maxWebhooks: whole(env, 'MAX_CONCURRENT_WEBHOOKS', 4_000, 1, 100_000),
    basicAuth: readBasicAuth(env),
    leaseSeconds: whole(env, 'WORK_LEASE_SECONDS', 15, 1, 3600),
    sweepSeconds: whole(env, 'SWEEP_SECONDS', 2, 1, 3600),
    eventsKeptDays: whole(env, 'EVENTS_KEPT_DAYS', 30, 1, 3650),
    ...readTelephony(env),
    simulator: {
      accountSid: readSimulatorSid(env),
      authToken: env.SIMULATOR_AUTH_TOKEN || undefined,
      allowedOrigins: readOrigins(env, 'SIMULATOR_ALLOWED_ORIGINS'),
      seed: whole(env, 'SIMULATOR_SEED', 1, 0, 2 ** 31),
      speed: decimal(env, 'SIMULATOR_SPEED', 10, 0.1, 10_000),
      busy: decimal(env, 'SIMULATOR_BUSY', 0.1, 0, 1),
      noAnswer: decimal(env, 'SIMULATOR_NO_ANSWER', 0.2, 0, 1),
      failed: decimal(env, 'SIMULATOR_FAILED', 0.02, 0, 1),
      machine: decimal(env, 'SIMULATOR_MACHINE', 0.05, 0, 1),
      confirms: decimal(env, 'SIMULATOR_CONFIRMS', 0.9, 0, 1),
    },
  });
  refuseUnreachable(config);
  const { busy, noAnswer, failed } = config.simulator;
  if (busy + noAnswer + failed > 1)
    throw new ConfigError('SIMULATOR_BUSY, SIMULATOR_NO_ANSWER and SIMULATOR_FAILED must not be more than 1 together.');
  const allowsAnonymous = flag(env, 'ALLOW_ANONYMOUS');
  if (!LOOPBACK.test(config.host) && !config.basicAuth && !allowsAnonymous) {
    throw new ConfigError(
      `HOST is ${config.host}, which others can reach: set HTTP_BASIC_AUTH_USER and HTTP_BASIC_AUTH_PASSWORD, ` +
        'or say ALLOW_ANONYMOUS=true if anyone who reaches it may use it.',
    );
  }
  const servesSimulator = config.answersApi && config.platform.provider === 'simulator';
  if (!LOOPBACK.test(config.host) && servesSimulator && !flag(env, 'ALLOW_PUBLIC_SIMULATOR')) {
    throw new ConfigError(
      `HOST is ${config.host}, which others can reach, and calls are placed with the simulator: set PLATFORM_PROVIDER to a real ` +
        'provider, or say ALLOW_PUBLIC_SIMULATOR=true if anyone who reaches it may use the simulator.',
    );
  }
  return config;
}

/** The names of all settings, as `readConfig` asks for them. */
export function settingNames(): Set<string> {
  const names = new Set<string>();
  try {
    // Some settings count only where others reach the program.
    readConfig({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }, names);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  return names;
}

/** A real provider calls us back, from another machine: each call would fail, and people would hear an application error. */
function refuseUnreachable({ platform: { provider, baseUrl }, publicUrl }: Config): void {
  if (provider === 'simulator') return;
  if (!publicUrl)
    throw new ConfigError(
      `PUBLIC_URL must be set when PLATFORM_PROVIDER is ${provider}: the provider calls us back there.`,
    );
  if (isNotPublic(publicUrl) && !isNotPublic(baseUrl!))
    throw new ConfigError(
      `PUBLIC_URL is ${publicUrl}, which ${provider} cannot reach: it must be our address for others.`,
    );
}

function isNotPublic(url: string): boolean {
  return NOT_PUBLIC.test(new URL(url).hostname.replaceAll(/^\[|\]$/g, ''));
}

/**
 * Which database `DATABASE_URL` means: a file (`sqlite:path`, the default `sqlite:data/scfm.sqlite3`) or a PostgreSQL server.
 * @throws ConfigError when it is neither, or cannot be used
 */
export function readDatabase(env: Environment): DatabaseConfig {
  const value = env.DATABASE_URL?.trim() || 'sqlite:data/scfm.sqlite3';
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return readPostgres(value);
  const path = /^sqlite:(?:\/\/)?(.+)$/.exec(value)?.[1];
  if (path && !/[\\/]$|^:memory:$/.test(path)) return { kind: 'sqlite', path: resolve(path) };
  throw new ConfigError('DATABASE_URL must be sqlite:path/to/file or postgres://user:password@host:5432/name.');
}

function readTelephony(env: Environment) {
  const provider = oneOf(env, 'PLATFORM_PROVIDER', providers, 'simulator');
  if (env.NODE_ENV === 'production' && !env.PLATFORM_PROVIDER) {
    throw new ConfigError(
      `PLATFORM_PROVIDER must be one of ${providers.join(', ')}: with NODE_ENV=production it has no default.`,
    );
  }
  const accounts = {
    twilio: readAccount(env, 'TWILIO'),
    somleng: readAccount(env, 'SOMLENG'),
  };
  if (provider !== 'simulator' && !accounts[provider]) {
    const name = provider.toUpperCase();
    throw new ConfigError(
      `${name}_ACCOUNT_SID and ${name}_AUTH_TOKEN must be set when PLATFORM_PROVIDER is ${provider}.`,
    );
  }
  const somlengHost = readHost(env, 'SOMLENG_CLIENT_REST_API_HOST', 'api.somleng.org');
  const baseUrls = {
    twilio: readWebUrl(env, 'TWILIO_API_BASE_URL', 'https://api.twilio.com') ?? 'https://api.twilio.com',
    somleng: readWebUrl(env, 'SOMLENG_CLIENT_REST_API_BASE_URL', 'https://api.somleng.org') ?? `https://${somlengHost}`,
    simulator: readWebUrl(env, 'SIMULATOR_URL', 'http://127.0.0.1:3000/simulator'),
  };
  const simulated = provider === 'simulator';
  return {
    platform: { provider, baseUrl: baseUrls[provider] },
    accounts,
    callsPerSecond: decimal(env, 'CALLS_PER_SECOND', simulated ? 50 : 1, 0.01, 10_000),
    maxCallsInFlight: env.MAX_CALLS_IN_FLIGHT ? whole(env, 'MAX_CALLS_IN_FLIGHT', 1, 1, 1_000_000) : undefined,
    fetchesPerSecond: decimal(env, 'FETCHES_PER_SECOND', simulated ? 50 : 5, 0.01, 10_000),
    reconcileAfter: whole(env, 'RECONCILE_AFTER', 120, 1, 86_400),
    uncertainFor: whole(env, 'UNCERTAIN_FOR', 86_400, 1, 604_800),
    providerTimeout: whole(env, 'PROVIDER_TIMEOUT', 30, 1, 120),
    defaultCallFlow: oneOf(env, 'DEFAULT_CALL_FLOW_LOGIC', callFlowNames, 'CallFlowLogic::Application'),
    inboundCallFlow: env.INBOUND_CALL_FLOW_LOGIC
      ? oneOf(env, 'INBOUND_CALL_FLOW_LOGIC', callFlowNames, callFlowNames[0])
      : undefined,
    optOutKey: readOptOutKey(env),
    registration: readRegistration(env),
  };
}

/** A host's name, with a port where it has one. */
function readHost(env: Environment, name: string, fallback: string): string {
  const value = env[name] || fallback;
  if (/^[\w.-]+(:\d+)?$/.test(value) && URL.canParse(`https://${value}`)) return value;
  throw new ConfigError(`${name} must be a host's name such as ${fallback}.`);
}

/** The account of a provider. */
function readAccount(env: Environment, provider: string): Account | undefined {
  const [sidName, tokenName] = [`${provider}_ACCOUNT_SID`, `${provider}_AUTH_TOKEN`];
  const [sid, token] = [env[sidName], env[tokenName]];
  if (sid && token) return { sid, token };
  if (sid || token) throw new ConfigError(`${sidName} and ${tokenName} must be set together.`);
  return undefined;
}

/** It stands in a path, and before a colon in the header with which the simulator is asked. */
function readSimulatorSid(env: Environment): string | undefined {
  const sid = env.SIMULATOR_ACCOUNT_SID;
  if (!sid || /^\w{1,64}$/.test(sid)) return sid || undefined;
  throw new ConfigError('SIMULATOR_ACCOUNT_SID must be at most 64 letters, digits and underscores.');
}

/** 1 and 2 have a meaning of their own in the flows in the box. */
function readOptOutKey(env: Environment): string | undefined {
  const key = oneOf(env, 'OPT_OUT_KEY', ['none', '0', '3', '4', '5', '6', '7', '8', '9', '*'] as const, '9');
  return key === 'none' ? undefined : key;
}

function readRegistration(env: Environment): RegistrationScript {
  try {
    return readRegistrationScript(env.REGISTRATION_FILE || undefined);
  } catch (error) {
    throw new ConfigError(`REGISTRATION_FILE must be a registration script: ${(error as Error).message}.`);
  }
}

function readBasicAuth(env: Environment): Config['basicAuth'] {
  const user = env.HTTP_BASIC_AUTH_USER;
  const password = env.HTTP_BASIC_AUTH_PASSWORD;
  if (!user && !password) return undefined;
  if (!user) throw new ConfigError('HTTP_BASIC_AUTH_USER must be set when HTTP_BASIC_AUTH_PASSWORD is.');
  if (user.includes(':')) throw new ConfigError('HTTP_BASIC_AUTH_USER must not hold a colon.');
  if (!password) throw new ConfigError('HTTP_BASIC_AUTH_PASSWORD must be set when HTTP_BASIC_AUTH_USER is.');
  return { user, password };
}

function whole(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const value = env[name] || String(fallback);
  if (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw new ConfigError(`${name} must be a whole number from ${least} to ${most}.`);
}

function decimal(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const value = env[name] || String(fallback);
  if (/^\d+(\.\d+)?$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw new ConfigError(`${name} must be a number from ${least} to ${most}.`);
}

function oneOf<T extends string>(env: Environment, name: string, allowed: readonly T[], fallback: T): T {
  const value = env[name] || fallback;
  const found = allowed.find((one) => one === value);
  if (found) return found;
  throw new ConfigError(`${name} must be one of ${allowed.join(', ')}.`);
}

/** A list of origins, separated by commas; `*` as the port is any port. */
function readOrigins(env: Environment, name: string): string[] {
  const entries = (env[name] ?? '').split(',').map((entry) => entry.trim());
  return entries.filter(Boolean).map((entry) => {
    const anyPort = entry.endsWith(':*');
    const address = anyPort ? entry.slice(0, -2) : entry;
    const parsed = URL.canParse(address) ? new URL(address) : undefined;
    const isOrigin = parsed && ['http:', 'https:'].includes(parsed.protocol) && parsed.href === `${parsed.origin}/`;
    if (isOrigin && !(anyPort && /:\d+$/.test(address))) return `${parsed.origin}${anyPort ? ':*' : ''}`;
    throw new ConfigError(
      `${name} must be a list of origins, separated by commas, such as http://127.0.0.1:4000 or http://127.0.0.1:*.`,
    );
  });
}

function flag(env: Environment, name: string): boolean {
  return oneOf(env, name, ['true', 'false'] as const, 'false') === 'true';
}
