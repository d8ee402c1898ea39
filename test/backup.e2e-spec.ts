import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { Installation, way } from './support/installation.js';
import { withPostgresClient } from './support/postgres-client.js';
import { type ScriptResult, runScript } from './support/run-script.js';

let installation: Installation;
let api: Api;
let folder: string;
let file: string;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
  await api.createCallout();
});
afterAll(() => installation.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-backup-'));
  file = join(folder, 'scfm.backup');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const backup = (environment: Record<string, string> = {}, ...args: string[]): Promise<ScriptResult> =>
  runScript('backup.js', args.length > 0 ? args : [file], {
    ...withPostgresClient,
    ...installation.environment,
    ...environment,
  });

describe('a backup', () => {
  it('can be made while the program runs, is private and checked, and is reported with its path and size', async () => {
    await api.createContacts({ msisdn: '+85510202101' });
    const before = Date.now();
    const { code, output, error } = await backup();
    expect([code, error]).toEqual([0, '']);
    const { size, mode } = statSync(file);
    expect(mode & 0o777).toBe(0o600);
    expect(output).toContain(`${file} is a backup of `);
    expect(output).toContain(`${size.toLocaleString('en-US')} bytes, checked`);
    const [, time] = /as it was at (\S+):/.exec(output)!;
    expect(Date.parse(time!)).toBeGreaterThanOrEqual(Math.floor(before / 1_000) * 1_000);
    expect(readdirSync(folder)).toEqual(['scfm.backup']);
    expect((await api.createContacts({ msisdn: '+85510202102' }))[0]).toBe(2);
  });

  it('never replaces a file', async () => {
    writeFileSync(file, 'precious');
    const { code, output, error } = await backup();
    expect([code, output, error]).toEqual([1, '', `${file} exists: a backup never replaces a file.\n`]);
    expect(statSync(file).size).toBe('precious'.length);
  });

  it('does not replace the file of an interrupted backup', async () => {
    writeFileSync(`${file}.partial`, '');
    const { code, error } = await backup();
    expect([code, error]).toEqual([1, expect.stringMatching(/\.partial exists: .*\n$/)]);
    expect(existsSync(file)).toBe(false);
  });

  it('needs the name of a file in an existing folder', async () => {
    expect(await runScript('backup.js', [], installation.environment)).toMatchObject({
      code: 1,
      error: 'Name the file to write: npm run backup -- FILE\n',
    });
    const { code, error } = await backup({}, join(folder, 'nowhere/backup'));
    expect([code, error]).toEqual([1, expect.stringMatching(/^The backup cannot be written: .*nowhere.*\n$/)]);
  });

  it('reads .env, like the program', async () => {
    writeFileSync(join(folder, '.env'), `DATABASE_URL=${installation.environment.DATABASE_URL}\n`);
    const { code, error } = await runScript('backup.js', ['here'], withPostgresClient, folder);
    expect([code, error]).toEqual([0, '']);
    expect(existsSync(join(folder, 'here'))).toBe(true);
  });
});

describe.runIf(way === 'embedded')('a backup of SQLite', () => {
  it('does not create a missing database', async () => {
    const path = join(folder, 'nowhere/scfm.sqlite3');
    const { code, error } = await backup({ DATABASE_URL: `sqlite:${path}` });
    expect([code, error]).toEqual([1, `There is no database at ${path}: set DATABASE_URL as for the program.\n`]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not made from a damaged database', async () => {
    await backup();
    const damaged = Installation.of({ DATABASE_URL: `sqlite:${file}` }, async () => undefined);
    const database = await damaged.connect();
    // A value violates a constraint of its table, as after a disk error.
    await database.query('PRAGMA writable_schema = ON');
    await database.query(
      `UPDATE sqlite_master SET sql = replace(sql, '"call_flow_logic" text,', '"call_flow_logic" text NOT NULL,')
        WHERE name = 'callouts'`,
    );
    await database.close();
    const { code, error } = await backup(damaged.environment, join(folder, 'second'));
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^The database is damaged, no backup was made: .*callouts.*\n$/),
    ]);
    expect(readdirSync(folder)).toEqual(['scfm.backup']);
  });
});

describe.runIf(way === 'cluster')('a backup of PostgreSQL', () => {
  it('says in one sentence that it needs pg_dump', async () => {
    const { code, error } = await backup({ PATH: folder });
    expect([code, error]).toEqual([1, expect.stringMatching(/^A backup of PostgreSQL needs pg_dump.*\n$/)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('shows the error of pg_dump, and leaves no file', async () => {
    const { code, error } = await backup({ DATABASE_URL: 'postgres://scfm:secret@127.0.0.1:1/scfm' });
    expect(code).toBe(1);
    expect(error).toMatch(/pg_dump: error: connection[^]*\npg_dump failed \(exit code 1\): no backup was made\.\n$/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps the password out of the arguments, which other users of the machine can see', async () => {
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    const script = `#!/bin/sh\necho "$0 $* PGPASSWORD=$PGPASSWORD"\n`;
    for (const name of ['pg_dump', 'pg_restore']) writeFileSync(join(programs, name), script, { mode: 0o755 });
    const { output } = await backup({
      PATH: `${programs}:${process.env.PATH}`,
      DATABASE_URL: 'postgres://scfm:s%25cret@127.0.0.1:5432/scfm?sslmode=disable',
    });
    expect(output).toContain('--dbname=postgres://scfm@127.0.0.1:5432/scfm?sslmode=disable PGPASSWORD=s%cret\n');
    expect(output).toContain('is a backup of PostgreSQL at 127.0.0.1:5432/scfm');
  });
});
