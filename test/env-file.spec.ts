import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingNames } from '../src/config/environment.js';
import { readEnvFile } from '../src/config/env-file.js';
import { ConfigError } from '../src/errors/config-error.js';
import { findMisspelledSettings } from '../src/config/misspelled-settings.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-env-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(contents: string | Buffer) {
  const path = join(folder, '.env');
  writeFileSync(path, contents);
  return readEnvFile(path);
}

describe('readEnvFile', () => {
  it.each([
    ['a byte order mark', '\uFEFFPORT=80\nHOST=::1\n'],
    ['byte order marks in the middle, as in concatenated files', 'PORT=80\n\uFEFF\uFEFFHOST=::1\r\n\uFEFF# The end\n'],
    ['Windows line endings', 'PORT=80\r\nHOST=::1\r\n'],
    ['old Mac line endings', 'PORT=80\rHOST=::1\r'],
    [
      'a byte order mark, Windows line endings and comments',
      '\uFEFF# The address\r\n\r\nexport PORT = 80 # the port\r\n  HOST="::1"\r\n',
    ],
  ])('reads a file with %s', (_, contents) => {
    expect(read(contents)).toEqual({ variables: { PORT: '80', HOST: '::1' }, warnings: [] });
  });

  it('reads quoted values of several lines, whatever their content', () => {
    const { variables, warnings } = read('A="1\nno assignment\n#"\nB=\'x # y\'\nC=`a#b`\n');
    expect(variables).toEqual({ A: '1\nno assignment\n#', B: 'x # y', C: 'a#b' });
    expect(warnings).toEqual([]);
  });

  it('returns no variables when the file does not exist', () => {
    expect(readEnvFile(join(folder, 'nowhere'))).toEqual({ variables: {}, warnings: [] });
  });

  it.each([
    ['UTF-16, as Windows writes it', Buffer.from('\uFEFFPORT=80', 'utf16le'), 'UTF-16'],
    ['UTF-16 without a byte order mark', Buffer.from('PORT=80', 'utf16le'), 'UTF-16'],
    ['big-endian UTF-16', Buffer.from('\uFEFFPORT=80', 'utf16le').swap16(), 'UTF-16'],
    ['Latin 1', Buffer.from('HTTP_BASIC_AUTH_PASSWORD=café', 'latin1'), 'UTF-8'],
    ['a colon instead of an equals sign', 'PORT=80\nPLATFORM_PROVIDER: twilio\n', 'Line 2'],
    ['a name without a value', 'A="1\n2"\nPORT\n', 'Line 3'],
    ['an invisible character before a name', '\u200BPORT=80\n', 'Line 1'],
  ])('refuses %s in one sentence', (_, contents, reason) => {
    expect(() => read(contents)).toThrow(ConfigError);
    expect(() => read(contents)).toThrow(new RegExp(`^[^\\n]*${reason}[^\\n]*\\.$`));
  });

  it('warns about a value that ends before a # in a word', () => {
    const { variables, warnings } = read('DATABASE_URL=postgres://u:p#w@host/db\nPORT=80 # fine\nHOST= # none\n');
    expect(variables).toEqual({ DATABASE_URL: 'postgres://u:p', PORT: '80', HOST: '' });
    expect(warnings).toEqual([expect.stringMatching(/^The value of DATABASE_URL in .* ends before the #/)]);
  });
});

describe('warnOfMisspelled', () => {
  const warnings = (names: string[], env: Record<string, string> = {}) =>
    findMisspelledSettings(settingNames(), names, env);

  it.each([
    ['PLATFROM_PROVIDER', 'PLATFORM_PROVIDER'],
    ['PLATFORM_PROVIDR', 'PLATFORM_PROVIDER'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['HTTP_BASIC_AUTH_PASSWORT', 'HTTP_BASIC_AUTH_PASSWORD'],
    ['MAX_CALLS_INFLIGHT', 'MAX_CALLS_IN_FLIGHT'],
    ['TWILLIO_AUTH_TOKEN', 'TWILIO_AUTH_TOKEN'],
  ])('finds %s, a misspelling of %s, in the file and in the environment', (name, meant) => {
    const sentence = `is not a setting of this program: did you mean ${meant}?`;
    expect(warnings([name], { [name]: 'x' })).toEqual([`${name} in .env ${sentence}`]);
    expect(warnings([], { [name]: 'x' })).toEqual([`${name} in the environment ${sentence}`]);
  });

  it('reports all unknown variables of the file, but not those of the environment', () => {
    expect(warnings(['SMTP_SERVER'])).toEqual(['SMTP_SERVER in .env is not a setting of this program.']);
    const environment = { PATH: '/bin', HOME: '/', HOSTNAME: 'x', USER: 'x', PWD: '/', LOGNAME: 'x', SMTP_SERVER: 'x' };
    expect(warnings([], environment)).toEqual([]);
  });

  it('does not report settings, or variables that other programs read', () => {
    const others = ['POSTGRES_PASSWORD', 'PGSSLMODE', 'HTTPS_PROXY', 'no_proxy', 'TZ', 'NODE_ENV'];
    const names = [...settingNames(), ...others];
    expect(warnings(names, Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
  });
});
