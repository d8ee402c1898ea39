import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../src/database/migrations/index.js';
import { Installation } from './support/installation.js';

const run = promisify(execFile);
const project = join(import.meta.dirname, '..');

describe('the migrations', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.remove());

  it('make just the tables that the entities describe', async () => {
    const env = { ...process.env, ...installation.environment };
    await run(process.execPath, ['dist/src/migrate.js'], { cwd: project, env });
    const typeorm = ['node_modules/typeorm/cli.js', 'schema:log', '-d', 'dist/ormconfig.js'];
    const { stdout } = await run(process.execPath, typeorm, { cwd: project, env });
    expect(stdout).toContain('Your schema is up to date');
  });

  it('can be taken back and made again', async () => {
    const env = { ...process.env, ...installation.environment };
    const typeorm = (command: string) =>
      run(process.execPath, ['node_modules/typeorm/cli.js', command, '-d', 'dist/ormconfig.js'], { cwd: project, env });
    for (const _ of migrations) await typeorm('migration:revert');
    await expect(installation.query('SELECT * FROM contacts')).rejects.toThrow(/contacts/);
    await typeorm('migration:run');
    await expect(installation.query('SELECT * FROM contacts')).resolves.toEqual([]);
  });
});

describe('several processes that start at the same moment on an empty database', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.remove());

  it('all come to serve', async () => {
    const programs = await Promise.all(Array.from({ length: 4 }, () => installation.start()));
    for (const { api } of programs) expect((await api.get('/api/contacts')).body).toEqual([]);
    expect(await installation.query('SELECT name FROM migrations')).toHaveLength(migrations.length);
  });
});
