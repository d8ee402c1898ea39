import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.js';

describe('readConfig', () => {
  it('needs nothing: this machine alone, a file, jobs in the process', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, role: 'all', logLevel: 'info', trustProxy: false });
    expect(config.database).toMatchObject({ kind: 'sqlite', path: expect.stringMatching(/data\/scfm\.sqlite3$/) });
    expect(config.redisUrl).toBeUndefined();
  });

  it('takes an empty value for none', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '', HTTP_BASIC_AUTH_USER: '' })).toMatchObject({ port: 3000 });
  });

  it.each([
    [{ PORT: '80a' }, 'PORT'],
    [{ PORT: '65536' }, 'PORT'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'sqlite:' }, 'DATABASE_URL'],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL'],
    [{ SCFM_ROLE: 'boss' }, 'SCFM_ROLE'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ PUBLIC_URL: 'scfm.example.org' }, 'PUBLIC_URL'],
    [{ TRUST_PROXY: 'maybe' }, 'TRUST_PROXY'],
    [{ BODY_LIMIT: '1MB' }, 'BODY_LIMIT'],
    [{ MAX_CONCURRENT_REQUESTS: '0' }, 'MAX_CONCURRENT_REQUESTS'],
    [{ MAX_CONCURRENT_WEBHOOKS: 'many' }, 'MAX_CONCURRENT_WEBHOOKS'],
    [{ REQUEST_TIMEOUT: '0' }, 'REQUEST_TIMEOUT'],
    [{ DATABASE_WAIT: '0' }, 'DATABASE_WAIT'],
    [{ HTTP_BASIC_AUTH_PASSWORD: 'x' }, 'HTTP_BASIC_AUTH_USER'],
    [{ HTTP_BASIC_AUTH_USER: 'a:b' }, 'HTTP_BASIC_AUTH_USER'],
    [{ ALLOW_ANONYMOUS: 'yes', HOST: '0.0.0.0' }, 'ALLOW_ANONYMOUS'],
    [{ PLATFORM_PROVIDER: 'nexmo' }, 'PLATFORM_PROVIDER'],
    [{ NODE_ENV: 'production' }, 'PLATFORM_PROVIDER'],
    [{ PLATFORM_PROVIDER: 'twilio' }, 'TWILIO_ACCOUNT_SID'],
    [{ PLATFORM_PROVIDER: 'somleng', SOMLENG_ACCOUNT_SID: 'x' }, 'SOMLENG_ACCOUNT_SID'],
    [{ SOMLENG_CLIENT_REST_API_BASE_URL: 'api' }, 'SOMLENG_CLIENT_REST_API_BASE_URL'],
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
    const read = () => readConfig(env);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(new RegExp(`^${name}\\b.*\\.$`));
  });

  it('paces a real provider as its accounts start, by fractions too', () => {
    const twilio = { PLATFORM_PROVIDER: 'twilio', TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 't' };
    expect(readConfig(twilio)).toMatchObject({ callsPerSecond: 1, platform: { baseUrl: 'https://api.twilio.com' } });
    expect(readConfig({ ...twilio, CALLS_PER_SECOND: '0.5' }).callsPerSecond).toBe(0.5);
  });

  it('takes the opt-out key away on request, and asks the questions of the example unless told otherwise', () => {
    expect(readConfig({ OPT_OUT_KEY: 'none' }).optOutKey).toBeUndefined();
    expect(readConfig({}).optOutKey).toBe('9');
    expect(readConfig({}).registration.questions.map(({ key }) => key)).toEqual(['language', 'province']);
  });

  it.each([{ ALLOW_ANONYMOUS: 'true' }, { HTTP_BASIC_AUTH_USER: 'u', HTTP_BASIC_AUTH_PASSWORD: 'p' }])(
    'lets others reach it with %j',
    (env) => {
      const allowed = { ...env, HOST: '0.0.0.0', ALLOW_PUBLIC_SIMULATOR: 'true' };
      expect(readConfig(allowed).host).toBe('0.0.0.0');
    },
  );

  it('lets others reach a process that serves no simulator', () => {
    const open = { HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' };
    const twilio = { PLATFORM_PROVIDER: 'twilio', TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 't' };
    expect(readConfig({ ...open, SCFM_ROLE: 'worker' }).host).toBe('0.0.0.0');
    expect(readConfig({ ...open, ...twilio }).host).toBe('0.0.0.0');
  });

  it('knows no token of the simulator unless one is given', () => {
    expect(readConfig({}).simulator.authToken).toBeUndefined();
    const given = { SIMULATOR_AUTH_TOKEN: 't', SIMULATOR_ALLOWED_ORIGINS: 'HTTP://LocalHost:80/, http://[::1]:*' };
    expect(readConfig(given).simulator).toMatchObject({
      authToken: 't',
      allowedOrigins: ['http://localhost', 'http://[::1]:*'],
    });
  });
});
