import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureSession } from '../src/database/session-settings.js';
import { Installation, way } from './support/installation.js';
import { Program } from './support/program.js';
import { signedWebhookSender } from './support/signed-webhooks.js';

const KHMER = 'សួស្តី';

/** Settings of a role that would break the program, and the values that each connection must have instead. */
const odd: Record<string, [ofRole: string, expected: string]> = {
  client_encoding: ['LATIN1', 'UTF8'],
  datestyle: ['SQL, DMY', 'ISO, YMD'],
  intervalstyle: ['sql_standard', 'postgres'],
  timezone: ['Asia/Phnom_Penh', 'UTC'],
  standard_conforming_strings: ['off', 'on'],
  array_nulls: ['off', 'on'],
  transform_null_equals: ['on', 'off'],
  gin_fuzzy_search_limit: ['1', '0'],
  default_transaction_isolation: ['serializable', 'read committed'],
  default_transaction_deferrable: ['on', 'off'],
  default_transaction_read_only: ['on', 'off'],
  statement_timeout: ['100', '0'],
  lock_timeout: ['100', '0'],
  idle_session_timeout: ['100', '0'],
  plan_cache_mode: ['force_generic_plan', 'auto'],
  synchronous_commit: ['off', 'on'],
};

describe.runIf(way === 'cluster')('a role of PostgreSQL with settings of its own', () => {
  const role = `odd_${randomUUID().slice(0, 8)}`;
  let installation: Installation;
  let url: string;

  beforeAll(async () => {
    installation = await Installation.create();
    await installation.query(`CREATE ROLE ${role} LOGIN`);
    await installation.query(`GRANT ALL ON SCHEMA public TO ${role}`);
    for (const [name, [ofRole]] of Object.entries(odd)) {
      await installation.query(`ALTER ROLE ${role} SET ${name} = '${ofRole}'`);
    }
    const address = new URL(installation.environment.DATABASE_URL!);
    address.username = role;
    url = address.href;
  });
  afterAll(async () => {
    await installation.killAll();
    await installation.query(`DROP OWNED BY ${role}`);
    await installation.query(`DROP ROLE ${role}`);
    await installation.remove();
  });

  it('is overridden by the settings of each connection of the program', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const show = async (name: string) => Object.values((await client.query(`SHOW ${name}`)).rows[0])[0];
    expect(await show('datestyle')).toBe('SQL, DMY');
    await configureSession(client, {}, 10);
    for (const [name, [, expected]] of Object.entries(odd)) expect([name, await show(name)]).toEqual([name, expected]);
    await configureSession(client, { statement_timeout: '5000' }, 10);
    expect(await show('statement_timeout')).toBe('5s');
    await client.end();
  });

  it('continues to wait for its replicas', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`SET synchronous_commit = 'remote_apply'`);
    await configureSession(client, {}, 10);
    expect((await client.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'remote_apply' }]);
    await client.end();
  });

  it('does not change what the program stores and returns', async () => {
    const { api } = await installation.start({ DATABASE_URL: url });
    const { status, body } = await api.post('/api/contacts', { msisdn: '+85510202101', metadata: { name: KHMER } });
    expect([status, body.metadata]).toEqual([201, { name: KHMER }]);
    const iso = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
    expect([body.created_at, body.updated_at]).toEqual([expect.stringMatching(iso), expect.stringMatching(iso)]);
    expect(Math.abs(Date.now() - Date.parse(body.created_at))).toBeLessThan(60_000);
    const day = body.created_at.slice(0, 10);
    const found = await api.get(`/api/contacts?q[created_at_or_after]=${day}&q[metadata][name]=${KHMER}`);
    expect(found.body.map(({ id }: { id: number }) => id)).toEqual([body.id]);
  });

  it('loses no webhook of many concurrent ones', async () => {
    const { api } = await installation.start({ DATABASE_URL: url });
    const signedWebhook = signedWebhookSender(installation);
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const call = {
          CallSid: `CA${n}`,
          Direction: 'inbound',
          From: '+85510202109',
          To: '2442',
          CallStatus: 'ringing',
        };
        return (await signedWebhook(api, call)).status;
      }),
    );
    expect(statuses).toEqual(Array(60).fill(201));
    expect((await api.get('/api/remote_phone_call_events?per_page=1')).headers.get('total')).toBe('60');
  });
});

describe.runIf(way === 'cluster')('a database of PostgreSQL that cannot store every text', () => {
  let installation: Installation;
  const name = `latin_${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    installation = await Installation.create();
    await installation.query(
      `CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    );
  });
  afterAll(async () => {
    await installation.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await installation.remove();
  });

  it.each(['main.js', 'migrate.js'])('is refused at the start, in one sentence (%s)', async (script) => {
    const url = new URL(installation.environment.DATABASE_URL!);
    url.pathname = name;
    const program = Program.launch({ ...installation.environment, DATABASE_URL: url.href }, { script });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output).toBe('DATABASE_URL must name a database whose encoding is UTF8: its encoding is LATIN1.\n');
  });
});

describe.runIf(way === 'cluster')('a PostgreSQL that refuses the connection', () => {
  const refusals: [string, (url: URL) => void, RegExp][] = [
    ['because there is no such database', (url) => (url.pathname = '/nowhere'), /database "nowhere" does not exist/],
    ['because there is no such user', (url) => (url.username = 'nobody'), /role "nobody" does not exist/],
  ];

  it.each(refusals)('ends the program at once, with one sentence, %s', async (_, change, reason) => {
    const installation = await Installation.create();
    const url = new URL(installation.environment.DATABASE_URL!);
    change(url);
    const program = Program.launch({ ...installation.environment, DATABASE_URL: url.href });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output).toMatch(/^DATABASE_URL [^\n]*\.\n$/);
    expect(program.output).toMatch(reason);
    await installation.remove();
  });
});

describe.runIf(way === 'cluster')('a PostgreSQL that refuses to create the tables', () => {
  const role = `guest_${randomUUID().slice(0, 8)}`;
  let installation: Installation;
  let url: URL;

  beforeAll(async () => {
    installation = await Installation.create();
    await installation.query(`CREATE ROLE ${role} LOGIN`);
    url = new URL(installation.environment.DATABASE_URL!);
    url.username = role;
  });
  afterAll(async () => {
    await installation.query(`DROP OWNED BY ${role}`);
    await installation.query(`DROP ROLE ${role}`);
    await installation.remove();
  });

  it.each([
    ['main.js', 'public', 'permission denied for schema public'],
    ['migrate.js', 'public', 'permission denied for schema public'],
    ['main.js', 'nowhere', 'no schema has been selected to create in'],
    ['migrate.js', 'nowhere', 'no schema has been selected to create in'],
  ])('ends the program with one sentence and without retries (%s, schema %s)', async (script, schema, reason) => {
    await installation.query(`ALTER ROLE ${role} SET search_path = ${schema}`);
    const program = Program.launch({ ...installation.environment, DATABASE_URL: url.href }, { script });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output.trim().split('\n').at(-1)).toBe(`DATABASE_URL is refused by PostgreSQL: ${reason}.`);
    expect(program.output).not.toMatch(/^ +at |\\n +at |Retrying/m);
  });
});

describe.runIf(way === 'cluster')('a PostgreSQL that is unreachable at the start', () => {
  it('ends the migration with one sentence', async () => {
    const installation = await Installation.create();
    const url = new URL(installation.environment.DATABASE_URL!);
    url.port = '1';
    const program = Program.launch({ ...installation.environment, DATABASE_URL: url.href }, { script: 'migrate.js' });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output).toMatch(
      /^DATABASE_URL leads to a PostgreSQL that cannot be used now: [^\n]*ECONNREFUSED[^\n]*\.\n$/,
    );
    await installation.remove();
  });

  it('is retried by the program, which then ends with one sentence', async () => {
    const installation = await Installation.create();
    const url = new URL(installation.environment.DATABASE_URL!);
    url.port = '1';
    const program = Program.launch({ ...installation.environment, DATABASE_URL: url.href });
    expect(await program.waitForExit()).toBe(1);
    const lines = program.output.trim().split('\n');
    expect(lines.filter((line) => line.includes('Retrying')).length).toBeGreaterThan(1);
    const sentence = /^DATABASE_URL leads to a PostgreSQL that cannot be used now: .*ECONNREFUSED.*\.$/;
    expect(lines).toContainEqual(expect.stringMatching(sentence));
    expect(lines).not.toContainEqual(expect.stringMatching(/^ +at /));
    await installation.remove();
  }, 120_000);
});
