import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Api } from './support/api.js';
import { freePort } from './support/free-port.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { Program } from './support/program.js';

let folder: string;
let installation: Installation;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-env-'));
  installation = await Installation.create();
});
afterEach(async () => {
  await installation.remove();
  rmSync(folder, { recursive: true, force: true });
});

const write = (contents: string | Buffer) => writeFileSync(join(folder, '.env'), contents);
const lines = (environment: Record<string, string>) =>
  Object.entries(environment).map(([name, value]) => `${name}=${value}`);

describe('a .env file', () => {
  it('from Windows is read from its first line on, by the program and by the migration', async () => {
    const { DATABASE_URL, ...others } = installation.environment;
    const port = await freePort();
    write(
      `\uFEFF${lines({ DATABASE_URL: DATABASE_URL!, ...others, PORT: String(port), PLATFROM_PROVIDER: 'x' }).join('\r\n')}\r\n`,
    );
    const migration = Program.launch({}, { folder, script: 'migrate.js' });
    expect(await migration.waitForExit()).toBe(0);
    expect(await installation.query('SELECT * FROM contacts')).toEqual([]);
    const program = Program.launch({}, { folder });
    try {
      await eventually(() => program.output.includes('/api'));
      expect(program.output).toContain(
        'PLATFROM_PROVIDER in .env is not a setting of this program: did you mean PLATFORM_PROVIDER?\n',
      );
      await new Api(`http://127.0.0.1:${port}`).createContacts({ msisdn: '+85510202101' });
      expect(await installation.query('SELECT msisdn FROM contacts')).toEqual([{ msisdn: '+85510202101' }]);
    } finally {
      await program.kill();
    }
  });

  it('does not override the environment', async () => {
    write('LOG_LEVEL=loud\nPORT=0\n');
    const program = Program.launch({ ...installation.environment, LOG_LEVEL: 'silent' }, { folder });
    await eventually(() => program.output.includes('/api'));
    await program.kill();
  });

  it.each(['main.js', 'migrate.js'])('in another encoding ends %s with one sentence', async (script) => {
    write(Buffer.from('\uFEFFPORT=80\r\n', 'utf16le'));
    const program = Program.launch(installation.environment, { folder, script });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output).toMatch(/^\.env must be saved as UTF-8[^\n]*\.\n$/);
  });

  it.each(['main.js', 'migrate.js'])(
    'with a bare percent sign in a password ends %s with one sentence',
    async (script) => {
      write('DATABASE_URL=postgres://scfm:50%@127.0.0.1/scfm\n');
      const program = Program.launch({}, { folder, script });
      expect(await program.waitForExit()).toBe(1);
      expect(program.output).toMatch(/^DATABASE_URL must have its special characters encoded[^\n]*\.\n$/);
    },
  );
});

describe('a setting that a feature reads', () => {
  it.each([
    [{ REGISTRATION_FILE: '/nowhere/questions.json' }, /^REGISTRATION_FILE must be a registration script: [^\n]*\.\n$/],
    [{ DEFAULT_CALL_FLOW_LOGIC: 'CallFlowLogic::None' }, /^DEFAULT_CALL_FLOW_LOGIC must be one of [^\n]*\.\n$/],
  ])('ends the program with one sentence before the database is opened: %j', async (setting, sentence) => {
    const database = join(folder, 'new.sqlite3');
    const program = Program.launch({ DATABASE_URL: `sqlite:${database}`, ...setting }, { folder });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output).toMatch(sentence);
    expect(existsSync(database)).toBe(false);
  });
});
