import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../src/database/migrations/index.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { runScript } from './support/run-script.js';

const run = promisify(execFile);
const project = join(import.meta.dirname, '..');

describe('the migrations', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.remove());

  it('create exactly the tables that the entities describe', async () => {
    const env = { ...process.env, ...installation.environment };
    await run(process.execPath, ['dist/src/migrate.js'], { cwd: project, env });
    const typeorm = ['node_modules/typeorm/cli.js', 'schema:log', '-d', 'dist/ormconfig.js'];
    const { stdout } = await run(process.execPath, typeorm, { cwd: project, env });
    expect(stdout).toContain('Your schema is up to date');
  });

  it('can be reverted and run again', async () => {
    const env = { ...process.env, ...installation.environment };
    const typeorm = (command: string) =>
      run(process.execPath, ['node_modules/typeorm/cli.js', command, '-d', 'dist/ormconfig.js'], { cwd: project, env });
    for (const _ of migrations) await typeorm('migration:revert');
    await expect(installation.query('SELECT * FROM contacts')).rejects.toThrow(/contacts/);
    await typeorm('migration:run');
    await expect(installation.query('SELECT * FROM contacts')).resolves.toEqual([]);
  });
});

describe('several processes that start at the same time on an empty database', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.remove());

  it('all serve requests', async () => {
    const programs = await Promise.all(Array.from({ length: 4 }, () => installation.start()));
    for (const { api } of programs) expect((await api.get('/api/contacts')).body).toEqual([]);
    expect(await installation.query('SELECT name FROM migrations')).toHaveLength(migrations.length);
  });
});

describe('a database that a newer version has migrated', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
    await runScript('migrate.js', [], installation.environment);
    await installation.query(`INSERT INTO migrations ("timestamp", name) VALUES (1900000000000, 'Newer1900000000000')`);
  });
  afterAll(() => installation.remove());

  it.each(['main.js', 'migrate.js'])('is refused in one sentence, and does not change (%s)', async (script) => {
    expect(await runScript(script, [], { ...installation.environment, PORT: '0' })).toEqual({
      code: 1,
      output: '',
      error: expect.stringMatching(
        /^DATABASE_URL names a database that a newer version .*\(Newer1900000000000\).*\.\n$/,
      ),
    });
    expect(await installation.query('SELECT name FROM migrations')).toHaveLength(migrations.length + 1);
  });
});

describe.runIf(way === 'cluster')('an index of a large table', () => {
  const name = 'phone_calls_created';
  let installation: Installation;
  let writer: Awaited<ReturnType<Installation['connect']>>;

  beforeAll(async () => {
    installation = await Installation.create();
    await runScript('migrate.js', [], installation.environment);
  });
  afterAll(() => installation.remove());
  beforeEach(async () => {
    await installation.query(`DROP INDEX ${name}`);
    await installation.query(`DELETE FROM migrations WHERE name LIKE 'IndexCallsByStage%'`);
    writer = await installation.connect();
    for (const statement of ['SET idle_in_transaction_session_timeout = 0', 'BEGIN', lock()]) {
      await writer.query(statement);
    }
  });
  afterEach(() => writer.close());

  const lock = (options = ''): string => `LOCK TABLE phone_calls IN ROW EXCLUSIVE MODE ${options}`;
  const builders = `FROM pg_stat_activity
    WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock' AND datname = current_database()`;
  const isWaiting = async () => (await installation.query(`SELECT pid ${builders}`)).length === 1;
  const valid = () =>
    installation.query(`SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('${name}')`);

  it('is built while other transactions write', async () => {
    const migrated = runScript('migrate.js', [], installation.environment);
    await eventually(isWaiting);
    const other = await installation.connect();
    try {
      await other.query('BEGIN');
      await other.query(lock('NOWAIT'));
      await other.query('COMMIT');
    } finally {
      await other.close();
    }
    await writer.query('COMMIT');
    expect((await migrated).code).toBe(0);
    expect(await valid()).toEqual([{ valid: true }]);
  });

  it('is built again after an interrupted build', async () => {
    const broken = runScript('migrate.js', [], installation.environment);
    await eventually(isWaiting);
    await installation.query(`SELECT pg_terminate_backend(pid) ${builders}`);
    expect((await broken).code).toBe(1);
    expect(await valid()).toEqual([{ valid: false }]);
    await writer.query('COMMIT');
    expect((await runScript('migrate.js', [], installation.environment)).code).toBe(0);
    expect(await valid()).toEqual([{ valid: true }]);
  });
});
