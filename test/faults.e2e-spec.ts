import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import type { Program } from './support/program.js';
import { freePort } from './support/free-port.js';

/** So many that a population is still running when a test sees that it has begun. */
const CONTACTS = way === 'embedded' ? 100_000 : 20_000;

let installation: Installation;

beforeEach(async () => {
  installation = await Installation.create();
});
afterEach(() => installation.remove());

/** Checks that each contact is in the callout exactly once. */
async function expectEachContactOnce(calloutId: number): Promise<void> {
  const [counts] = await installation.query<Record<string, unknown>>(
    `SELECT count(*) AS total, count(DISTINCT contact_id) AS people, count(DISTINCT msisdn) AS numbers
      FROM callout_participations WHERE callout_id = ${calloutId}`,
  );
  expect(counts).toEqual({ total: CONTACTS, people: CONTACTS, numbers: CONTACTS });
}

async function queuedPopulation({ api }: Program): Promise<{ callout: number; id: number }> {
  const callout = await api.createCallout();
  const id = await api.createPopulation(callout);
  const { body } = await api.post(`/api/batch_operations/${id}/batch_operation_events`, 'event=queue');
  expect(body.status).toBe('queued');
  return { callout, id };
}

function progressed({ api }: Program, id: number): Promise<boolean> {
  return eventually(async () => {
    const { progress } = (await api.get(`/api/batch_operations/${id}`)).body;
    return progress !== null && progress.processed > 0;
  });
}

describe('a population whose process ends while it runs', () => {
  it('continues from its cursor in the next process: each contact is added once', async () => {
    const first = await installation.start();
    await installation.insertContacts(CONTACTS);
    const { callout, id } = await queuedPopulation(first);
    await progressed(first, id);
    await first.kill();
    const [left] = await installation.query<{ status: string; cursor: number }>(
      `SELECT status, cursor FROM batch_operations`,
    );
    expect(left!.status).toBe('running');
    const second = await installation.start();
    expect(await second.api.waitForBatchOperation(id)).toMatchObject({
      status: 'finished',
      progress: { processed: CONTACTS, total: CONTACTS },
    });
    await expectEachContactOnce(callout);
  });

  it('continues at once after a shutdown, which exits with 0', async () => {
    const first = await installation.start({ WORK_LEASE_SECONDS: '3000' });
    await installation.insertContacts(CONTACTS);
    const { callout, id } = await queuedPopulation(first);
    await progressed(first, id);
    expect(await first.stop('SIGTERM')).toBe(0);
    const second = await installation.start({ WORK_LEASE_SECONDS: '3000' });
    expect(await second.api.waitForBatchOperation(id)).toMatchObject({
      status: 'finished',
      progress: { processed: CONTACTS },
    });
    await expectEachContactOnce(callout);
  });
});

describe('several processes on one database', () => {
  it('run a population once', async () => {
    const programs = await Promise.all([installation.start(), installation.start(), installation.start()]);
    await installation.insertContacts(CONTACTS);
    const { callout, id } = await queuedPopulation(programs[0]!);
    expect(await programs[1]!.api.waitForBatchOperation(id)).toMatchObject({
      status: 'finished',
      progress: { processed: CONTACTS, total: CONTACTS },
    });
    await expectEachContactOnce(callout);
  });

  it('add no contact twice in two populations of one callout', async () => {
    const [one, two] = await Promise.all([installation.start(), installation.start()]);
    await installation.insertContacts(CONTACTS);
    const { callout, id } = await queuedPopulation(one!);
    const other = await one!.api.createPopulation(callout);
    await one!.api.post(`/api/batch_operations/${other}/batch_operation_events`, 'event=queue');
    const ended = [await two!.api.waitForBatchOperation(id), await two!.api.waitForBatchOperation(other)];
    expect(ended.map(({ status }) => status)).toEqual(['finished', 'finished']);
    expect(ended.reduce((sum, { progress }) => sum + progress.processed, 0)).toBe(CONTACTS);
    await expectEachContactOnce(callout);
  });

  // A suspended process keeps the SQLite file locked. PostgreSQL releases its lock.
  it.runIf(way === 'cluster')(
    'do not repeat the work of a worker that was suspended for longer than its lease',
    async () => {
      const suspended = await installation.start();
      await installation.insertContacts(CONTACTS);
      const { callout, id } = await queuedPopulation(suspended);
      await progressed(suspended, id);
      process.kill(suspended.pid, 'SIGSTOP');
      const other = await installation.start();
      expect((await other.api.waitForBatchOperation(id)).progress).toEqual({ processed: CONTACTS, total: CONTACTS });
      process.kill(suspended.pid, 'SIGCONT');
      await eventually(async () => (await suspended.api.get('/health/ready')).status === 200);
      expect((await other.api.get(`/api/batch_operations/${id}`)).body).toMatchObject({
        status: 'finished',
        progress: { processed: CONTACTS, total: CONTACTS },
      });
      await expectEachContactOnce(callout);
    },
  );
});

describe('a shutdown', () => {
  it('waits for the response to an open request', async () => {
    const program = await installation.start();
    const headers = { 'Content-Type': 'application/json', Expect: '100-continue' };
    const postRequest = request(`${program.url}/api/contacts`, { method: 'POST', headers });
    postRequest.flushHeaders();
    // The program has the request when it requests the body.
    await once(postRequest, 'continue');
    postRequest.write('{"msisdn":');
    const stopped = program.stop('SIGINT');
    postRequest.end('"+85510202101"}');
    const [answer] = (await once(postRequest, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(201);
    expect(await stopped).toBe(0);
    const [stored] = await installation.query('SELECT msisdn FROM contacts');
    expect(stored).toEqual({ msisdn: '+85510202101' });
  });
});

describe.runIf(way === 'cluster')('Redis', () => {
  let redis: ChildProcess | undefined;
  let port: number;
  const environment = () => ({ REDIS_URL: `redis://127.0.0.1:${port}` });

  const startRedis = async () => {
    redis = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  };
  const stopRedis = async () => void redis?.kill('SIGKILL');

  beforeEach(async () => {
    port = await freePort();
  });
  afterEach(stopRedis);

  it('can be unavailable: events are accepted, and run when it is back', async () => {
    const program = await installation.start(environment());
    await installation.insertContacts(CONTACTS);
    const { callout, id } = await queuedPopulation(program);
    const ready = await program.api.get('/health/ready');
    expect([ready.status, ready.body.error.queue.message]).toEqual([
      503,
      expect.stringContaining('Redis is not reached'),
    ]);
    expect((await program.api.get('/health/live')).status).toBe(200);
    expect((await program.api.get(`/api/batch_operations/${id}`)).body.status).toBe('queued');
    await startRedis();
    expect((await program.api.waitForBatchOperation(id)).status).toBe('finished');
    await expectEachContactOnce(callout);
    await eventually(async () => (await program.api.get('/health/ready')).status === 200);
  });

  it('can be unavailable during a shutdown', async () => {
    await startRedis();
    const program = await installation.start(environment());
    await eventually(async () => (await program.api.get('/health/ready')).status === 200);
    await stopRedis();
    await eventually(async () => (await program.api.get('/health/ready')).status === 503);
    expect(await program.stop()).toBe(0);
  });

  it('can lose all jobs: the sweeper finds the rows', async () => {
    await startRedis();
    const web = await installation.start({ ...environment(), SCFM_ROLE: 'web' });
    await installation.insertContacts(CONTACTS);
    await eventually(async () => (await web.api.get('/health/ready')).status === 200);
    const { callout, id } = await queuedPopulation(web);
    await stopRedis();
    await startRedis();
    const worker = await installation.start({ ...environment(), SCFM_ROLE: 'worker' });
    expect((await web.api.waitForBatchOperation(id)).status).toBe('finished');
    await expectEachContactOnce(callout);
    expect((await worker.api.get('/api/contacts')).status).toBe(404);
  });
});

describe.runIf(way === 'embedded')('the SQLite file', () => {
  it('survives restarts', async () => {
    const first = await installation.start();
    const [id] = await first.api.createContacts({ msisdn: '+85510202101', metadata: { name: 'Alice' } });
    await first.stop();
    const second = await installation.start();
    expect((await second.api.get(`/api/contacts/${id}`)).body.metadata).toEqual({ name: 'Alice' });
  });
});
