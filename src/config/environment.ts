import { validateSync } from 'class-validator';
import { ConfigError } from '../errors/config-error.js';
import { timeZoneOf } from '../time-zones/time-zone.js';
import { DecimalNumber, Documented, Flag, OneOf, Values, WholeNumber } from './decorators.js';

/** Environment variables, by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The providers that `PLATFORM_PROVIDER` can name. */
export const providers = ['twilio', 'somleng', 'simulator'] as const;

/** The default of `DATABASE_URL`. */
export const DEFAULT_DATABASE_URL = 'sqlite:data/scfm.sqlite3';

const SERVER = 'Server';
const ACCESS = 'Access';
const LIMITS = 'Limits';
const DATABASE = 'Database';
const JOBS = 'Processes and jobs';
const PROVIDER = 'Provider';
const DIALING = 'Dialing';
const CALL_FLOWS = 'Call flows';
const SIMULATOR = 'Simulator';

/**
 * The environment: one property for each setting, whose value is a text or its default. This is the only list of the
 * settings. Validation, docs/configuration.md and the warnings about misspelled names are derived from it.
 */
export class Environment {
  @Documented({ section: SERVER, description: 'The address to listen on.' })
  HOST = '127.0.0.1';

  @WholeNumber(0, 65_535)
  @Documented({ section: SERVER, description: 'The TCP port to listen on. Port 0 is any free port.' })
  PORT = '3000';

  @Documented({
    section: SERVER,
    description:
      'The URL under which the provider and other clients reach the program. Set it for a real provider, which sends ' +
      'its webhooks to this URL.',
    values: 'an http or https URL without a query, a fragment, a user or a password',
    defaultsTo: 'the address of each request',
  })
  PUBLIC_URL?: string;

  @Documented({
    section: SERVER,
    description:
      'The peers whose `X-Forwarded-…` headers the program believes. Set it to the address of the reverse proxy in ' +
      'front of the program.',
    values:
      '`true` (every peer), `false` (no peer), or a list of addresses, ranges such as `10.0.0.0/8`, and the names ' +
      '`loopback`, `linklocal` and `uniquelocal`, separated by commas',
  })
  TRUST_PROXY = 'false';

  @OneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  @Documented({
    section: SERVER,
    description: 'The least important level that is logged. The levels are those of pino.',
  })
  LOG_LEVEL = 'info';

  @Documented({
    section: SERVER,
    description: 'With `production`, `PLATFORM_PROVIDER` has no default: nobody runs the simulator by mistake.',
    defaultsTo: 'unset',
  })
  NODE_ENV?: string;

  @Documented({
    section: ACCESS,
    description:
      'The user that clients name with HTTP basic authentication. Health checks and webhooks need no credentials. ' +
      'The user and the password must be set together.',
    values: 'a text without a colon',
    defaultsTo: 'unset: no credentials are needed',
  })
  HTTP_BASIC_AUTH_USER?: string;

  @Documented({ section: ACCESS, description: 'The password of `HTTP_BASIC_AUTH_USER`.', defaultsTo: 'unset' })
  HTTP_BASIC_AUTH_PASSWORD?: string;

  @Flag()
  @Documented({
    section: ACCESS,
    description: 'Must be `true` to listen on an address that other machines can reach without a user and a password.',
  })
  ALLOW_ANONYMOUS = 'false';

  @Flag()
  @Documented({
    section: ACCESS,
    description: 'Must be `true` to serve the simulator on an address that other machines can reach.',
  })
  ALLOW_PUBLIC_SIMULATOR = 'false';

  @WholeNumber(1_024, 104_857_600)
  @Documented({ section: LIMITS, description: 'The largest request body.', unit: 'bytes' })
  BODY_LIMIT = '1048576';

  @WholeNumber(1, 3_600)
  @Documented({ section: LIMITS, description: 'How long a request may take to arrive.', unit: 'seconds' })
  REQUEST_TIMEOUT = '60';

  @WholeNumber(1, 100_000)
  @Documented({
    section: LIMITS,
    description:
      'How many requests one process handles at the same time. Webhooks do not count. Further requests get 503.',
    unit: 'requests',
  })
  MAX_CONCURRENT_REQUESTS = '500';

  @WholeNumber(1, 100_000)
  @Documented({
    section: LIMITS,
    description:
      "How many of the provider's webhooks one process handles at the same time. The provider does not repeat a " +
      'webhook, so this limit is larger than a burst of webhooks.',
    unit: 'requests',
  })
  MAX_CONCURRENT_WEBHOOKS = '4000';

  @WholeNumber(1, 300)
  @Documented({
    section: LIMITS,
    description: 'How long the query for a list may take. After that, the request gets 503.',
    unit: 'seconds',
  })
  READ_TIMEOUT = '15';

  @Documented({
    section: DATABASE,
    description:
      'The database. PostgreSQL with `?sslmode=verify-full` is encrypted ' +
      '([TLS to PostgreSQL](operations.md#tls-to-postgresql)).',
    values: '`sqlite:path/to/file`, or `postgres://user:password@host:5432/name`',
  })
  DATABASE_URL = DEFAULT_DATABASE_URL;

  @WholeNumber(2, 1_000)
  @Documented({
    section: DATABASE,
    description: 'How many connections one process opens to PostgreSQL. The program uses at least 3.',
    unit: 'connections',
  })
  DATABASE_POOL = '10';

  @WholeNumber(1, 300)
  @Documented({
    section: DATABASE,
    description: 'How long a request waits for a connection to PostgreSQL. After that, the request gets 503.',
    unit: 'seconds',
  })
  DATABASE_WAIT = '10';

  @OneOf(['web', 'worker', 'all'])
  @Documented({
    section: JOBS,
    description: 'What the process does: serve the API (`web`), run the background work (`worker`), or both (`all`).',
  })
  SCFM_ROLE = 'all';

  @Documented({
    section: JOBS,
    description: 'The Redis server through which Bull distributes jobs. A `rediss://` URL is encrypted.',
    values: 'a URL such as `redis://user:password@localhost:6379/0` or `rediss://…`',
    defaultsTo: 'unset: jobs run in the process',
  })
  REDIS_URL?: string;

  @Documented({
    section: JOBS,
    description: 'The certificate authorities that may sign the certificate of a `rediss://` server.',
    values: 'the path of a PEM file',
    defaultsTo: 'the authorities of Node.js, and those of `NODE_EXTRA_CA_CERTS`',
  })
  REDIS_CA_FILE?: string;

  @WholeNumber(1, 3_600)
  @Documented({
    section: JOBS,
    description: 'How long a batch operation waits before another worker takes it over from a worker that died.',
    unit: 'seconds',
  })
  WORK_LEASE_SECONDS = '15';

  @WholeNumber(1, 3_600)
  @Documented({
    section: JOBS,
    description: 'How often a worker looks in the database for work that no job announced.',
    unit: 'seconds',
  })
  SWEEP_SECONDS = '2';

  @WholeNumber(1, 3_650)
  @Documented({
    section: JOBS,
    description: 'How long events (`GET /api/events`) are kept.',
    unit: 'days',
  })
  EVENTS_KEPT_DAYS = '30';

  @OneOf(providers)
  @Documented({
    section: PROVIDER,
    description: 'The provider that places the calls. The simulator calls nobody.',
    defaultsTo: '`simulator`; with `NODE_ENV=production` there is no default',
  })
  PLATFORM_PROVIDER?: string;

  @Documented({
    section: PROVIDER,
    description:
      'The account at Twilio. Webhooks that this account signed are accepted. The SID and the token must be set ' +
      'together.',
    defaultsTo: 'unset',
  })
  TWILIO_ACCOUNT_SID?: string;

  @Documented({ section: PROVIDER, description: 'The auth token of the account at Twilio.', defaultsTo: 'unset' })
  TWILIO_AUTH_TOKEN?: string;

  @Documented({
    section: PROVIDER,
    description: 'The base URL of the API of Twilio. Change it for a proxy or a test.',
    values: 'an http or https URL',
    defaultsTo: '`https://api.twilio.com`',
  })
  TWILIO_API_BASE_URL?: string;

  @Documented({
    section: PROVIDER,
    description:
      'The account at Somleng. Webhooks that this account signed are accepted. The SID and the token must be set ' +
      'together.',
    defaultsTo: 'unset',
  })
  SOMLENG_ACCOUNT_SID?: string;

  @Documented({ section: PROVIDER, description: 'The auth token of the account at Somleng.', defaultsTo: 'unset' })
  SOMLENG_AUTH_TOKEN?: string;

  @Values("a host's name such as api.somleng.org", isHost)
  @Documented({ section: PROVIDER, description: 'The host of the API of Somleng. A port may follow the name.' })
  SOMLENG_CLIENT_REST_API_HOST = 'api.somleng.org';

  @Documented({
    section: PROVIDER,
    description: 'The base URL of the API of Somleng. It wins over `SOMLENG_CLIENT_REST_API_HOST`.',
    values: 'an http or https URL',
    defaultsTo: '`https://` and `SOMLENG_CLIENT_REST_API_HOST`',
  })
  SOMLENG_CLIENT_REST_API_BASE_URL?: string;

  @WholeNumber(1, 120)
  @Documented({ section: PROVIDER, description: 'How long a request to the provider may take.', unit: 'seconds' })
  PROVIDER_TIMEOUT = '30';

  @DecimalNumber(0.01, 10_000)
  @Documented({
    section: DIALING,
    description: 'How many calls all processes together place in a second. Fractions are allowed.',
    unit: 'calls per second',
    defaultsTo: '`1`; with the simulator `50`',
  })
  CALLS_PER_SECOND?: string;

  @WholeNumber(1, 1_000_000)
  @Documented({
    section: DIALING,
    description: 'How many calls may be in progress at the provider at the same time.',
    unit: 'calls',
    defaultsTo: 'no limit',
  })
  MAX_CALLS_IN_FLIGHT?: string;

  @DecimalNumber(0.01, 10_000)
  @Documented({
    section: DIALING,
    description: 'How many calls all processes together look up at the provider in a second.',
    unit: 'requests per second',
    defaultsTo: '`5`; with the simulator `50`',
  })
  FETCHES_PER_SECOND?: string;

  @DecimalNumber(0.01, 10_000)
  @Documented({
    section: DIALING,
    description: 'How many calls all processes together ask the provider to end in a second, after a stop.',
    unit: 'requests per second',
    defaultsTo: 'four times `CALLS_PER_SECOND`, at least `20`',
  })
  RECALLS_PER_SECOND?: string;

  @WholeNumber(1, 86_400)
  @Documented({
    section: DIALING,
    description: 'How long a call may be without a webhook before the program looks it up at the provider.',
    unit: 'seconds',
  })
  RECONCILE_AFTER = '120';

  @WholeNumber(1, 604_800)
  @Documented({
    section: DIALING,
    description: 'How long to keep looking for a call whose acceptance by the provider is unknown.',
    unit: 'seconds',
  })
  UNCERTAIN_FOR = '86400';

  @Values('an IANA time zone such as Asia/Phnom_Penh', (value) => timeZoneOf(value) !== undefined)
  @Documented({
    section: DIALING,
    description: 'The time zone of the call windows of a dial plan that names no time zone.',
  })
  TIME_ZONE = 'UTC';

  @Documented({
    section: DIALING,
    description:
      'How often all callouts together may call one number. For example, `3/15m,7/1h,15/1d` is at ' +
      'most 3 calls in 15 minutes, 7 in an hour, and 15 in a day. Calls of `emergency` callouts do not wait for ' +
      'this limit.',
    values:
      'a list of limits, separated by commas: up to 1000 calls in a number of seconds (`s`), minutes (`m`), hours ' +
      '(`h`) or days (`d`), up to `31d`',
    defaultsTo: 'unset: no limit',
  })
  MAX_CALLS_PER_NUMBER?: string;

  @Documented({
    section: CALL_FLOWS,
    description: 'The call flow of a call whose phone call, participation and callout name no call flow.',
    values: 'the name of a [call flow](call-flows.md)',
  })
  DEFAULT_CALL_FLOW_LOGIC = 'CallFlowLogic::Application';

  @Documented({
    section: CALL_FLOWS,
    description: 'The call flow for people who call in.',
    values: 'the name of a [call flow](call-flows.md)',
    defaultsTo: 'the value of `DEFAULT_CALL_FLOW_LOGIC`',
  })
  INBOUND_CALL_FLOW_LOGIC?: string;

  @Documented({
    section: CALL_FLOWS,
    description: 'The [registration script](call-flows.md): the questions that `CallFlowLogic::Registration` asks.',
    values: 'the path of a JSON file',
    defaultsTo: 'the included example',
  })
  REGISTRATION_FILE?: string;

  @OneOf(['none', '0', '3', '4', '5', '6', '7', '8', '9', '*'])
  @Documented({
    section: CALL_FLOWS,
    description: 'The key with which people opt out of further calls. `none` turns opting out by key off.',
  })
  OPT_OUT_KEY = '9';

  @Documented({
    section: SIMULATOR,
    description: 'The URL of the simulator in another process. A process with `SCFM_ROLE=worker` needs it.',
    values: 'an http or https URL',
    defaultsTo: '`/simulator` of the program itself',
  })
  SIMULATOR_URL?: string;

  @Values('at most 64 letters, digits and underscores', (value) => /^\w{1,64}$/.test(value))
  @Documented({
    section: SIMULATOR,
    description: "The SID of the simulator's account.",
    defaultsTo: '`AC00000000000000000000000000000000`',
  })
  SIMULATOR_ACCOUNT_SID?: string;

  @Documented({
    section: SIMULATOR,
    description: "The auth token of the simulator's account.",
    defaultsTo: 'a random token, [stored in the database](simulator.md#access)',
  })
  SIMULATOR_AUTH_TOKEN?: string;

  @Documented({
    section: SIMULATOR,
    description: 'The origins that the simulator may fetch in addition to the program itself.',
    values: 'a list of origins, separated by commas; `*` as the port is any port: `http://127.0.0.1:*`',
    defaultsTo: 'unset',
  })
  SIMULATOR_ALLOWED_ORIGINS?: string;

  @WholeNumber(0, 2 ** 31)
  @Documented({
    section: SIMULATOR,
    description: 'Decides, with the number, how a simulated person behaves. The same seed gives the same people.',
  })
  SIMULATOR_SEED = '1';

  @DecimalNumber(0.1, 10_000)
  @Documented({
    section: SIMULATOR,
    description: 'How many times faster than real time the simulated people act.',
  })
  SIMULATOR_SPEED = '10';

  @DecimalNumber(0, 1)
  @Documented({
    section: SIMULATOR,
    description:
      'The share of calls that are busy. Together with `SIMULATOR_NO_ANSWER` and `SIMULATOR_FAILED` at most 1.',
  })
  SIMULATOR_BUSY = '0.1';

  @DecimalNumber(0, 1)
  @Documented({ section: SIMULATOR, description: 'The share of calls that nobody answers.' })
  SIMULATOR_NO_ANSWER = '0.2';

  @DecimalNumber(0, 1)
  @Documented({ section: SIMULATOR, description: 'The share of calls that fail.' })
  SIMULATOR_FAILED = '0.02';

  @DecimalNumber(0, 1)
  @Documented({ section: SIMULATOR, description: 'The share of answered calls that a machine answers.' })
  SIMULATOR_MACHINE = '0.05';

  @DecimalNumber(0, 1)
  @Documented({ section: SIMULATOR, description: 'The share of people who press a key when they are asked to.' })
  SIMULATOR_CONFIRMS = '0.9';
}

/** @returns the names of all settings, in the order of the properties of `Environment` */
export function settingNames(): Set<keyof Environment> {
  return new Set(Object.keys(new Environment()) as (keyof Environment)[]);
}

/**
 * Reads the settings from environment variables. White space around a value is ignored, because files and copied
 * secrets often have it. An empty value counts as unset.
 *
 * @throws ConfigError for the first value that is not valid
 */
export function readEnvironment(variables: Variables): Environment {
  const environment = new Environment();
  for (const name of settingNames()) {
    const value = variables[name]?.trim();
    if (value) environment[name] = value;
  }
  const [error] = validateSync(environment);
  const [message] = Object.values(error?.constraints ?? {});
  if (message) throw new ConfigError(message);
  return environment;
}

function isHost(value: string): boolean {
  return /^[\w.-]+(:\d+)?$/.test(value) && URL.canParse(`https://${value}`);
}
