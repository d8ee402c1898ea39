import { ConfigError } from '../errors/config-error.js';
import { type DatabaseConfig, readDatabase } from './database.js';
import { type Environment, type Variables, readEnvironment } from './environment.js';
import { readOrigins } from './origins.js';
import { type Account, type Platform, type ProviderName, readAccounts, readPlatform } from './platform.js';
import { type RedisConfig, readRedis } from './redis.js';
import { readTrustProxy } from './trust-proxy.js';
import { readWebUrl } from './urls.js';

/** What a process does: serve the API (`web`), run the background work (`worker`), or both (`all`). */
export type Role = 'web' | 'worker' | 'all';

/** The configuration of the program. It is read and validated once; nothing else reads the environment. */
export class Config {
  readonly host!: string;
  readonly port!: number;
  readonly database!: DatabaseConfig;
  /** The most connections that one process opens to PostgreSQL. */
  readonly databasePool!: number;
  /** How long the query for a list may take (s). */
  readonly readTimeout!: number;
  /** How long a request waits for a connection to PostgreSQL, a new one or one of the pool (s). */
  readonly databaseWait!: number;
  /** Undefined: jobs run in this process. */
  readonly redis?: RedisConfig;
  readonly role!: Role;
  readonly logLevel!: string;
  /** The URL under which others reach the program, without a slash at the end. Undefined: what the request says. */
  readonly publicUrl?: string;
  /** Fastify's `trustProxy`: the peers whose `X-Forwarded-…` headers are believed. */
  readonly trustProxy!: boolean | string;
  /** The largest request body (bytes). */
  readonly bodyLimit!: number;
  /** How long a request may take to arrive (s). */
  readonly requestTimeout!: number;
  /** The most requests that one process handles at the same time, webhooks excepted. Further ones are refused. */
  readonly maxRequests!: number;
  /** The most webhooks that one process handles at the same time. The provider does not repeat a webhook. */
  readonly maxWebhooks!: number;
  readonly basicAuth?: { user: string; password: string };
  /** How long a worker owns the batch operation that it runs, unless it renews its lease (s). */
  readonly leaseSeconds!: number;
  /** How often a worker looks for work that no job announced (s). */
  readonly sweepSeconds!: number;
  /** How long events are kept (days). */
  readonly eventsKeptDays!: number;

  readonly platform!: Platform;
  /** The accounts at real providers. Includes that of the chosen provider, unless the simulator is chosen. */
  readonly accounts!: Readonly<Partial<Record<Exclude<ProviderName, 'simulator'>, Account>>>;
  /** The most calls that all processes together place in a second. */
  readonly callsPerSecond!: number;
  /** The most calls in progress at the provider at the same time. Undefined: no limit. */
  readonly maxCallsInFlight?: number;
  /** The most calls that all processes together look up in a second. */
  readonly fetchesPerSecond!: number;
  /** How long a call may be without a webhook before it is looked up at the provider (s). */
  readonly reconcileAfter!: number;
  /** How long to keep looking for a call whose acceptance by the provider is unknown (s). */
  readonly uncertainFor!: number;
  /** How long a request to the provider may take (s). */
  readonly providerTimeout!: number;
  /** The name of the call flow of calls that name none. `call-flows/` validates it. */
  readonly defaultCallFlow!: string;
  /** The name of the call flow for people who call in. Undefined: the default. `call-flows/` validates it. */
  readonly inboundCallFlow?: string;
  /** The path of the registration script. Undefined: the included example. `call-flows/` reads it. */
  readonly registrationFile?: string;
  /** The key that opts out of further calls. Undefined: no key does. */
  readonly optOutKey?: string;
  readonly simulator!: SimulatorConfig;

  get servesApi(): boolean {
    return this.role !== 'worker';
  }

  get runsBackgroundWork(): boolean {
    return this.role !== 'web';
  }
}

/** The simulator's account, what it may fetch, and how simulated people behave. Shares are from 0 to 1. */
export interface SimulatorConfig {
  /** Undefined: an SID that belongs to nobody. */
  accountSid?: string;
  /** Undefined: the token that is stored in the database. */
  authToken?: string;
  /** Origins that the simulator fetches in addition to our own. The port `*` is any port: `http://127.0.0.1:*`. */
  allowedOrigins: readonly string[];
  seed: number;
  /** How many times faster than real time. */
  speed: number;
  busy: number;
  noAnswer: number;
  failed: number;
  machine: number;
  /** Of the people who are asked to press a key. */
  confirms: number;
}

/** One connection for lists, one for other API requests, one for webhooks and background work. */
const MIN_CONNECTIONS = 3;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * The configuration that some variables describe. An empty value counts as unset, and white space around a value does
 * not count.
 *
 * @throws ConfigError on the first value that is not usable
 */
export function readConfig(variables: Variables): Config {
  const env = readEnvironment(variables);
  const publicUrl = readWebUrl(env, 'PUBLIC_URL', 'https://scfm.example.org');
  const accounts = readAccounts(env);
  const platform = readPlatform(env, accounts, publicUrl);
  const isSimulated = platform.provider === 'simulator';
  const config: Config = Object.assign(new Config(), {
    host: env.HOST,
    port: Number(env.PORT),
    database: readDatabase(env),
    databasePool: Math.max(MIN_CONNECTIONS, Number(env.DATABASE_POOL)),
    readTimeout: Number(env.READ_TIMEOUT),
    databaseWait: Number(env.DATABASE_WAIT),
    redis: readRedis(env),
    role: env.SCFM_ROLE,
    logLevel: env.LOG_LEVEL,
    publicUrl,
    trustProxy: readTrustProxy(env.TRUST_PROXY),
    bodyLimit: Number(env.BODY_LIMIT),
    requestTimeout: Number(env.REQUEST_TIMEOUT),
    maxRequests: Number(env.MAX_CONCURRENT_REQUESTS),
    maxWebhooks: Number(env.MAX_CONCURRENT_WEBHOOKS),
    basicAuth: readBasicAuth(env),
    leaseSeconds: Number(env.WORK_LEASE_SECONDS),
    sweepSeconds: Number(env.SWEEP_SECONDS),
    eventsKeptDays: Number(env.EVENTS_KEPT_DAYS),
    platform,
    accounts,
    callsPerSecond: Number(env.CALLS_PER_SECOND ?? (isSimulated ? 50 : 1)),
    maxCallsInFlight: env.MAX_CALLS_IN_FLIGHT === undefined ? undefined : Number(env.MAX_CALLS_IN_FLIGHT),
    fetchesPerSecond: Number(env.FETCHES_PER_SECOND ?? (isSimulated ? 50 : 5)),
    reconcileAfter: Number(env.RECONCILE_AFTER),
    uncertainFor: Number(env.UNCERTAIN_FOR),
    providerTimeout: Number(env.PROVIDER_TIMEOUT),
    defaultCallFlow: env.DEFAULT_CALL_FLOW_LOGIC,
    inboundCallFlow: env.INBOUND_CALL_FLOW_LOGIC,
    registrationFile: env.REGISTRATION_FILE,
    optOutKey: env.OPT_OUT_KEY === 'none' ? undefined : env.OPT_OUT_KEY,
    simulator: readSimulator(env),
  });
  assertNotPublic(config, env);
  return config;
}

function readSimulator(env: Environment): SimulatorConfig {
  const [busy, noAnswer, failed] = [env.SIMULATOR_BUSY, env.SIMULATOR_NO_ANSWER, env.SIMULATOR_FAILED].map(Number);
  if (busy! + noAnswer! + failed! > 1)
    throw new ConfigError('SIMULATOR_BUSY, SIMULATOR_NO_ANSWER and SIMULATOR_FAILED must not be more than 1 together.');
  return {
    accountSid: env.SIMULATOR_ACCOUNT_SID,
    authToken: env.SIMULATOR_AUTH_TOKEN,
    allowedOrigins: readOrigins('SIMULATOR_ALLOWED_ORIGINS', env.SIMULATOR_ALLOWED_ORIGINS),
    seed: Number(env.SIMULATOR_SEED),
    speed: Number(env.SIMULATOR_SPEED),
    busy: busy!,
    noAnswer: noAnswer!,
    failed: failed!,
    machine: Number(env.SIMULATOR_MACHINE),
    confirms: Number(env.SIMULATOR_CONFIRMS),
  };
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

/** @throws ConfigError when other machines could use the API without credentials, or the simulator, by mistake */
function assertNotPublic(config: Config, env: Environment): void {
  if (LOOPBACK.test(config.host)) return;
  if (!config.basicAuth && env.ALLOW_ANONYMOUS !== 'true') {
    throw new ConfigError(
      `HOST is ${config.host}, which others can reach: set HTTP_BASIC_AUTH_USER and HTTP_BASIC_AUTH_PASSWORD, ` +
        'or say ALLOW_ANONYMOUS=true if anyone who reaches it may use it.',
    );
  }
  const servesSimulator = config.servesApi && config.platform.provider === 'simulator';
  if (servesSimulator && env.ALLOW_PUBLIC_SIMULATOR !== 'true') {
    throw new ConfigError(
      `HOST is ${config.host}, which others can reach, and calls are placed with the simulator: set ` +
        'PLATFORM_PROVIDER to a real provider, or say ALLOW_PUBLIC_SIMULATOR=true if anyone who reaches it may use the simulator.',
    );
  }
}
