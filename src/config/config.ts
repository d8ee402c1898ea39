import { ConfigError } from '../errors/config-error.js';
import { timeZoneOf } from '../time-zones/time-zone.js';
import { type CallLimit, readCallLimits } from './call-limits.js';
import { type DatabaseConfig, readDatabase } from './database.js';
import { type Environment, type Variables, readEnvironment } from './environment.js';
import { readOrigins } from './origins.js';
import { type Account, type Platform, type ProviderName, readAccounts, readPlatform } from './platform.js';
import { type RedisConfig, readRedis } from './redis.js';
import { readTrustProxy } from './trust-proxy.js';
import { readWebUrl } from './urls.js';

/** The role of a process: it serves the API (`web`), runs the background work (`worker`), or does both (`all`). */
export type Role = 'web' | 'worker' | 'all';

/** The configuration of the program. The environment is read and validated once, and only here. */
export class Config {
  readonly host!: string;
  readonly port!: number;
  readonly database!: DatabaseConfig;
  /** The maximum number of connections of this process to PostgreSQL. */
  readonly databasePool!: number;
  /** How long the query for a list may take (s). */
  readonly readTimeout!: number;
  /** How long a request waits for a connection to PostgreSQL, a new one or one from the pool (s). */
  readonly databaseWait!: number;
  /** Undefined: jobs run in this process. */
  readonly redis?: RedisConfig;
  readonly role!: Role;
  readonly logLevel!: string;
  /** The URL at which others reach the program, without a trailing slash. Undefined: the address of each request. */
  readonly publicUrl?: string;
  /** Fastify's `trustProxy`: the peers whose `X-Forwarded-…` headers are trusted. */
  readonly trustProxy!: boolean | string;
  /** The maximum size of a request body (bytes). */
  readonly bodyLimit!: number;
  /** How long a request may take to arrive (s). */
  readonly requestTimeout!: number;
  /** The maximum number of concurrent requests of this process, without webhooks. Further requests get 503. */
  readonly maxRequests!: number;
  /** The maximum number of concurrent webhooks of this process. The provider does not repeat a webhook. */
  readonly maxWebhooks!: number;
  /** The credentials of API clients. Undefined: none are needed. */
  readonly basicAuth?: { user: string; password: string };
  /** The length of the lease that a worker has on a batch operation, and renews while it runs it (s). */
  readonly leaseSeconds!: number;
  /** How often a worker looks for work that no job announced (s). */
  readonly sweepSeconds!: number;
  /** How long events are kept (days). */
  readonly eventsKeptDays!: number;

  /** The provider that places the calls. */
  readonly platform!: Platform;
  /** The accounts at real providers. The provider that places the calls has one, unless it is the simulator. */
  readonly accounts!: Readonly<Partial<Record<Exclude<ProviderName, 'simulator'>, Account>>>;
  /** The maximum rate at which all processes together place calls (calls per second). */
  readonly callsPerSecond!: number;
  /** The maximum number of concurrent calls at the provider. Undefined: no limit. */
  readonly maxCallsInFlight?: number;
  /** The maximum rate at which all processes together look up calls at the provider (calls per second). */
  readonly fetchesPerSecond!: number;
  /** The maximum rate at which all processes together ask the provider to end calls (calls per second). */
  readonly recallsPerSecond!: number;
  /** How long a call may be without a webhook before it is looked up at the provider (s). */
  readonly reconcileAfter!: number;
  /** How long to keep looking for a call whose acceptance by the provider is unknown (s). */
  readonly uncertainFor!: number;
  /** The IANA name of the time zone of dial plans that name none. */
  readonly timeZone!: string;
  /** How often the attempts of all callouts together may call one number. Empty: no limit. */
  readonly maxCallsPerNumber!: readonly CallLimit[];
  /** How long a request to the provider may take (s). */
  readonly providerTimeout!: number;
  /** The name of the default call flow. `call-flows/` validates it. */
  readonly defaultCallFlow!: string;
  /** The name of the call flow for inbound calls. Undefined: the default. `call-flows/` validates it. */
  readonly inboundCallFlow?: string;
  /** The path of the registration script. Undefined: the included example. `call-flows/` reads it. */
  readonly registrationFile?: string;
  /** The key with which people opt out of further calls. Undefined: none. */
  readonly optOutKey?: string;
  readonly simulator!: SimulatorConfig;

  /** Whether this process serves the API. */
  get servesApi(): boolean {
    return this.role !== 'worker';
  }

  /** Whether this process runs the background work. */
  get runsBackgroundWork(): boolean {
    return this.role !== 'web';
  }
}

/** The account of the simulator, the URLs that it may fetch, and how simulated people behave. */
export interface SimulatorConfig {
  /** Undefined: `AC` followed by zeros, which is no account of a real provider. */
  accountSid?: string;
  /** Undefined: the token that is stored in the database. */
  authToken?: string;
  /** The origins that the simulator may fetch in addition to that of the program. The port `*` is any port. */
  allowedOrigins: readonly string[];
  /** The same seed gives the same people. */
  seed: number;
  /** How many times faster than real time people act. */
  speed: number;
  /** The share of calls that are busy (0 to 1). */
  busy: number;
  /** The share of calls that nobody answers (0 to 1). */
  noAnswer: number;
  /** The share of calls that fail (0 to 1). */
  failed: number;
  /** The share of answered calls that a machine answers (0 to 1). */
  machine: number;
  /** The share of people who press a key when they are asked to (0 to 1). */
  confirms: number;
}

/** One connection is for lists, one for other API requests, and one for webhooks and background work. */
const MIN_CONNECTIONS = 3;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Reads the configuration from environment variables. An empty value counts as unset. White space around a value is
 * ignored.
 *
 * @throws ConfigError for the first value that cannot be used
 */
export function readConfig(variables: Variables): Config {
  const env = readEnvironment(variables);
  const publicUrl = readWebUrl(env, 'PUBLIC_URL', 'https://scfm.example.org');
  const accounts = readAccounts(env);
  const platform = readPlatform(env, accounts, publicUrl);
  const isSimulated = platform.provider === 'simulator';
  const callsPerSecond = Number(env.CALLS_PER_SECOND ?? (isSimulated ? 50 : 1));
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
    callsPerSecond,
    maxCallsInFlight: env.MAX_CALLS_IN_FLIGHT === undefined ? undefined : Number(env.MAX_CALLS_IN_FLIGHT),
    recallsPerSecond: Number(env.RECALLS_PER_SECOND ?? Math.max(20, 4 * callsPerSecond)),
    fetchesPerSecond: Number(env.FETCHES_PER_SECOND ?? (isSimulated ? 50 : 5)),
    reconcileAfter: Number(env.RECONCILE_AFTER),
    uncertainFor: Number(env.UNCERTAIN_FOR),
    timeZone: timeZoneOf(env.TIME_ZONE)!,
    maxCallsPerNumber: readCallLimits(env.MAX_CALLS_PER_NUMBER),
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

/** @throws ConfigError when other machines could use the API without credentials, or use the simulator */
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
