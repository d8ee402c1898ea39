import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config/config.js';
import { readCallFlowSettings } from '../src/call-flows/call-flow-settings.js';
import { ConfigError } from '../src/errors/config-error.js';
import { settingNames } from '../src/config/environment.js';

const PROJECT = join(import.meta.dirname, '..');
const TWILIO = {
  PLATFORM_PROVIDER: 'twilio',
  TWILIO_ACCOUNT_SID: 'AC1',
  TWILIO_AUTH_TOKEN: 't',
  PUBLIC_URL: 'https://scfm.example.org',
};

describe('readConfig', () => {
  it('has defaults: only this machine, a SQLite file, jobs in the process', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, role: 'all', logLevel: 'info', trustProxy: false });
    expect(config.database).toMatchObject({ kind: 'sqlite', path: expect.stringMatching(/data\/scfm\.sqlite3$/) });
    expect(config.redis).toBeUndefined();
  });

  it('reads the defaults of dial plans', () => {
    expect(readConfig({})).toMatchObject({ timeZone: 'UTC', maxCallsPerNumber: [] });
    const settings = { TIME_ZONE: 'asia/phnom_penh', MAX_CALLS_PER_NUMBER: '3/15m,7/1h' };
    const limits = [
      { calls: 3, seconds: 900 },
      { calls: 7, seconds: 3_600 },
    ];
    expect(readConfig(settings)).toMatchObject({ timeZone: 'Asia/Phnom_Penh', maxCallsPerNumber: limits });
  });

  it('treats an empty value as unset', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '', HTTP_BASIC_AUTH_USER: '' })).toMatchObject({ port: 3000 });
  });

  it.each([
    [{ PORT: '80a' }, 'PORT'],
    [{ PORT: '65536' }, 'PORT'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'sqlite:' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'sqlite:data/' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'sqlite::memory:' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://scfm:50%@localhost/scfm' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://50%:x@localhost/scfm' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://scfm:x@localhost/50%' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://scfm:x@50%/scfm' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://scfm:x@localhost/scfm?application_name=50%' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://scfm:x@localhost:99999/scfm' }, 'DATABASE_URL'],
    ...[
      'sslmode=verify_full',
      'sslmode=',
      'ssl=maybe',
      'ssl_mode=require',
      'sslMode=require',
      'sslcrl=x',
      'uselibpqcompat=1',
    ].map((parameter): [Record<string, string>, string] => [
      { DATABASE_URL: `postgres://scfm:x@localhost/scfm?${parameter}` },
      'DATABASE_URL',
    ]),
    [{ DATABASE_URL: 'postgres://localhost/scfm?sslcert=/nowhere/scfm.pem' }, 'DATABASE_URL'],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis:6379' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis:///1' }, 'REDIS_URL'],
    [{ REDIS_URL: 'http://localhost:6379' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis://:50%@localhost' }, 'REDIS_URL'],
    [{ REDIS_URL: 'rediss://50%:x@localhost' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis://localhost/first' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis://localhost/1/2' }, 'REDIS_URL'],
    [{ REDIS_URL: 'rediss://localhost?ssl_cert_reqs=none' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis://:p#w@localhost' }, 'REDIS_URL'],
    [{ REDIS_URL: 'redis://localhost', REDIS_CA_FILE: '/etc/ssl/certs/ca-certificates.crt' }, 'REDIS_CA_FILE'],
    [{ REDIS_CA_FILE: '/etc/ssl/certs/ca-certificates.crt' }, 'REDIS_CA_FILE'],
    [{ REDIS_URL: 'rediss://localhost', REDIS_CA_FILE: '/nowhere/ca.pem' }, 'REDIS_CA_FILE'],
    [{ REDIS_URL: 'rediss://localhost', REDIS_CA_FILE: import.meta.filename }, 'REDIS_CA_FILE'],
    [{ TIME_ZONE: 'Cambodia' }, 'TIME_ZONE'],
    [{ TIME_ZONE: '+07:00' }, 'TIME_ZONE'],
    [{ MAX_CALLS_PER_NUMBER: '3' }, 'MAX_CALLS_PER_NUMBER'],
    [{ SCFM_ROLE: 'boss' }, 'SCFM_ROLE'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ PUBLIC_URL: 'scfm.example.org' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https:scfm.example.org' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'ftp://scfm.example.org' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://scfm.example.org/?a=1' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://scfm.example.org/?' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://scfm.example.org/#top' }, 'PUBLIC_URL'],
    [{ PUBLIC_URL: 'https://user:password@scfm.example.org' }, 'PUBLIC_URL'],
    [{ TRUST_PROXY: 'maybe' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '1' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '10.0.0' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '10.0.0.1,' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: 'cafe' }, 'TRUST_PROXY'],
    [{ BODY_LIMIT: '1MB' }, 'BODY_LIMIT'],
    [{ MAX_CONCURRENT_REQUESTS: '0' }, 'MAX_CONCURRENT_REQUESTS'],
    [{ MAX_CONCURRENT_WEBHOOKS: 'many' }, 'MAX_CONCURRENT_WEBHOOKS'],
    [{ REQUEST_TIMEOUT: '0' }, 'REQUEST_TIMEOUT'],
    [{ DATABASE_WAIT: '0' }, 'DATABASE_WAIT'],
    [{ HTTP_BASIC_AUTH_PASSWORD: 'x' }, 'HTTP_BASIC_AUTH_USER'],
    [{ HTTP_BASIC_AUTH_USER: 'operator' }, 'HTTP_BASIC_AUTH_PASSWORD'],
    [{ HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: '' }, 'HTTP_BASIC_AUTH_PASSWORD'],
    [{ HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: ' ' }, 'HTTP_BASIC_AUTH_PASSWORD'],
    [{ HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_PASSWORD: 'x', HOST: '0.0.0.0' }, 'HTTP_BASIC_AUTH_PASSWORD'],
    [{ HTTP_BASIC_AUTH_USER: ' ', HTTP_BASIC_AUTH_PASSWORD: 'x' }, 'HTTP_BASIC_AUTH_USER'],
    [{ HTTP_BASIC_AUTH_USER: 'a:b' }, 'HTTP_BASIC_AUTH_USER'],
    [{ ALLOW_ANONYMOUS: 'yes', HOST: '0.0.0.0' }, 'ALLOW_ANONYMOUS'],
    [{ PLATFORM_PROVIDER: 'nexmo' }, 'PLATFORM_PROVIDER'],
    [{ NODE_ENV: 'production' }, 'PLATFORM_PROVIDER'],
    [{ PLATFORM_PROVIDER: 'twilio' }, 'TWILIO_ACCOUNT_SID'],
    [{ PLATFORM_PROVIDER: 'somleng', SOMLENG_ACCOUNT_SID: 'x' }, 'SOMLENG_ACCOUNT_SID'],
    [{ TWILIO_ACCOUNT_SID: 'AC1' }, 'TWILIO_ACCOUNT_SID'],
    [{ SOMLENG_AUTH_TOKEN: 't' }, 'SOMLENG_ACCOUNT_SID'],
    [{ ...TWILIO, PUBLIC_URL: '' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://127.0.0.1:3000' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://[::1]:3000' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://0.0.0.0:3000' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://0:3000' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://[::]:3000' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://127.1.2.3' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://2130706433' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://localhost' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'https://LOCALHOST:8443' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'https://scfm.localhost' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: 'http://a.b.localhost.:80/scfm' }, 'PUBLIC_URL'],
    [{ ...TWILIO, PUBLIC_URL: '', SCFM_ROLE: 'worker' }, 'PUBLIC_URL'],
    [{ SOMLENG_CLIENT_REST_API_BASE_URL: 'api' }, 'SOMLENG_CLIENT_REST_API_BASE_URL'],
    [{ SOMLENG_CLIENT_REST_API_BASE_URL: 'https://api.example.org/?key=1' }, 'SOMLENG_CLIENT_REST_API_BASE_URL'],
    [{ SOMLENG_CLIENT_REST_API_HOST: 'https://api.example.org' }, 'SOMLENG_CLIENT_REST_API_HOST'],
    [{ SOMLENG_CLIENT_REST_API_HOST: 'api.example.org/v1' }, 'SOMLENG_CLIENT_REST_API_HOST'],
    [{ SIMULATOR_BUSY: '0.6', SIMULATOR_NO_ANSWER: '0.5' }, 'SIMULATOR_BUSY'],
    [{ CALLS_PER_SECOND: '0' }, 'CALLS_PER_SECOND'],
    [{ CALLS_PER_SECOND: '-1' }, 'CALLS_PER_SECOND'],
    [{ RECONCILE_AFTER: 'soon' }, 'RECONCILE_AFTER'],
    [{ DEFAULT_CALL_FLOW_LOGIC: 'CallFlowLogic::None' }, 'DEFAULT_CALL_FLOW_LOGIC'],
    [{ INBOUND_CALL_FLOW_LOGIC: 'Registration' }, 'INBOUND_CALL_FLOW_LOGIC'],
    [{ OPT_OUT_KEY: '1' }, 'OPT_OUT_KEY'],
    [{ REGISTRATION_FILE: '/nowhere/questions.json' }, 'REGISTRATION_FILE'],
    [{ REGISTRATION_FILE: import.meta.filename }, 'REGISTRATION_FILE'],
    [{ HOST: '0.0.0.0' }, 'HOST'],
    [{ HOST: '10.0.0.1' }, 'HOST'],
    [{ HOST: '10.0.0.1', ALLOW_ANONYMOUS: 'true' }, 'HOST'],
    [{ HOST: '::', ALLOW_ANONYMOUS: 'true', ALLOW_PUBLIC_SIMULATOR: 'false' }, 'HOST'],
    [{ HOST: '::', ALLOW_ANONYMOUS: 'true', ALLOW_PUBLIC_SIMULATOR: 'yes' }, 'ALLOW_PUBLIC_SIMULATOR'],
    [{ SIMULATOR_ACCOUNT_SID: 'AC:1' }, 'SIMULATOR_ACCOUNT_SID'],
    [{ SIMULATOR_ALLOWED_ORIGINS: '*' }, 'SIMULATOR_ALLOWED_ORIGINS'],
    [{ SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:80:*' }, 'SIMULATOR_ALLOWED_ORIGINS'],
    [{ SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:4000/path' }, 'SIMULATOR_ALLOWED_ORIGINS'],
    [{ SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:4000,ftp://127.0.0.1' }, 'SIMULATOR_ALLOWED_ORIGINS'],
  ])('refuses %j with one sentence that names %s', (env, name) => {
    const read = () => readCallFlowSettings(readConfig(env));
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(new RegExp(`^${name}\\b.*\\.$`));
  });

  it('removes the TLS parameters from the URL of PostgreSQL, and leaves the others unchanged', () => {
    const read = (query: string) => readConfig({ DATABASE_URL: `postgres://u:p%25@localhost/scfm${query}` }).database;
    const bare = 'postgres://u:p%25@localhost/scfm';
    expect(read('')).toEqual({ kind: 'postgres', url: bare, libpq: {} });
    expect(read('?sslmode=disable')).toEqual({
      kind: 'postgres',
      url: bare,
      ssl: false,
      libpq: { sslmode: 'disable' },
    });
    expect(read('?options=-c%20a=b&sslmode=require&application_name=a+b')).toEqual({
      kind: 'postgres',
      url: `${bare}?options=-c%20a=b&application_name=a+b`,
      ssl: { rejectUnauthorized: true },
      libpq: { sslmode: 'verify-full' },
    });
  });

  it('limits calls to a real provider to one a second by default, and accepts fractions', () => {
    expect(readConfig(TWILIO)).toMatchObject({ callsPerSecond: 1, platform: { baseUrl: 'https://api.twilio.com' } });
    expect(readConfig({ ...TWILIO, CALLS_PER_SECOND: '0.5' }).callsPerSecond).toBe(0.5);
  });

  it('ignores white space around a value', () => {
    const given = { PORT: ' 80\n', HOST: '\t127.0.0.2 ', REDIS_URL: ' redis://localhost ', DATABASE_URL: ' sqlite:x ' };
    const config = readConfig({ ...given, HTTP_BASIC_AUTH_USER: ' u', HTTP_BASIC_AUTH_PASSWORD: 'p w\r\n' });
    expect(config).toMatchObject({ port: 80, host: '127.0.0.2', basicAuth: { user: 'u', password: 'p w' } });
    expect(config.redis).toMatchObject({ host: 'localhost', port: 6379, db: 0 });
    expect(config.database).toMatchObject({ path: expect.stringMatching(/\/x$/) });
  });

  it.each([
    ['https://scfm.example.org/', 'https://scfm.example.org'],
    ['HTTPS://Scfm.Example.org:443//', 'https://scfm.example.org'],
    ['https://scfm.example.org//calls///', 'https://scfm.example.org/calls'],
    ['http://[::1]:3000/calls', 'http://[::1]:3000/calls'],
  ])('reads PUBLIC_URL=%s as %s, so that a path can follow it', (given, url) => {
    expect(readConfig({ PUBLIC_URL: given }).publicUrl).toBe(url);
  });

  it('accepts a PUBLIC_URL on this machine when the provider is on this machine, too', () => {
    const local = { TWILIO_API_BASE_URL: 'http://127.0.0.1:4000/', PUBLIC_URL: 'http://127.0.0.1:3000' };
    expect(readConfig({ ...TWILIO, ...local }).platform.baseUrl).toBe('http://127.0.0.1:4000');
  });

  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://secret@localhost', { host: 'localhost', port: 6379, password: 'secret', db: 0 }],
    ['redis://:s%25cret%40@[::1]:7000/15', { host: '::1', port: 7000, password: 's%cret@', db: 15 }],
    [
      'rediss://scfm:secret@redis.example.org/2',
      {
        host: 'redis.example.org',
        port: 6379,
        username: 'scfm',
        password: 'secret',
        db: 2,
        tls: { rejectUnauthorized: true },
      },
    ],
  ])('reads REDIS_URL=%s', (url, redis) => {
    expect(readConfig({ REDIS_URL: url }).redis).toEqual(redis);
  });

  it.each([
    ['10.0.0.0/8, 192.168.1.1,::1/128', '10.0.0.0/8,192.168.1.1,::1/128'],
    ['loopback, uniquelocal, 10.1.2.3', 'loopback,uniquelocal,10.1.2.3'],
    ['true', true],
  ])('reads TRUST_PROXY=%s', (given, trustProxy) => {
    expect(readConfig({ TRUST_PROXY: given }).trustProxy).toBe(trustProxy);
  });

  it('has no opt-out key on request, and asks the questions of the example by default', () => {
    expect(readConfig({ OPT_OUT_KEY: 'none' }).optOutKey).toBeUndefined();
    expect(readConfig({}).optOutKey).toBe('9');
    expect(readCallFlowSettings(readConfig({})).registration.questions.map(({ key }) => key)).toEqual([
      'language',
      'province',
    ]);
  });

  it.each([{ ALLOW_ANONYMOUS: 'true' }, { HTTP_BASIC_AUTH_USER: 'u', HTTP_BASIC_AUTH_PASSWORD: 'p' }])(
    'accepts a public address with %j',
    (env) => {
      const allowed = { ...env, HOST: '0.0.0.0', ALLOW_PUBLIC_SIMULATOR: 'true' };
      expect(readConfig(allowed).host).toBe('0.0.0.0');
    },
  );

  it('accepts a public address of a process that does not serve the simulator', () => {
    const open = { HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' };
    const twilio = {
      PUBLIC_URL: 'https://scfm.example.org',
      PLATFORM_PROVIDER: 'twilio',
      TWILIO_ACCOUNT_SID: 'AC1',
      TWILIO_AUTH_TOKEN: 't',
    };
    expect(readConfig({ ...open, SCFM_ROLE: 'worker' }).host).toBe('0.0.0.0');
    expect(readConfig({ ...open, ...twilio }).host).toBe('0.0.0.0');
  });

  it('has no token of the simulator unless one is set', () => {
    expect(readConfig({}).simulator.authToken).toBeUndefined();
    const given = { SIMULATOR_AUTH_TOKEN: 't', SIMULATOR_ALLOWED_ORIGINS: 'HTTP://LocalHost:80/, http://[::1]:*' };
    expect(readConfig(given).simulator).toMatchObject({
      authToken: 't',
      allowedOrigins: ['http://localhost', 'http://[::1]:*'],
    });
  });
});

describe('the documents', () => {
  const names = (text: string, pattern: RegExp) => new Set(Array.from(text.matchAll(pattern), ([, name]) => name!));
  const file = (path: string) => readFileSync(join(PROJECT, path), 'utf8');

  it('docs/configuration.md is what npm run docs:configuration writes', async () => {
    const script = [join(PROJECT, 'scripts/configuration-page.mjs'), '--check'];
    await expect(promisify(execFile)(process.execPath, script)).resolves.toMatchObject({ stderr: '' });
  });

  it('docs/configuration.md describes exactly the settings', () => {
    expect([...names(file('docs/configuration.md'), /^### `([A-Z_]+)`$/gm)].sort()).toEqual([...settingNames()].sort());
  });

  it('.env.example and docker-compose.yml name only existing settings', () => {
    const settings = [...settingNames(), 'POSTGRES_PASSWORD', 'POSTGRES_USER', 'POSTGRES_DB'];
    const named = [
      ...names(file('.env.example'), /^([A-Z_]+)=/gm),
      ...names(file('docker-compose.yml'), /^ +([A-Z_]+):/gm),
    ];
    expect(named.filter((name) => !settings.includes(name))).toEqual([]);
  });
});
