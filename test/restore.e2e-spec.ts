import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDatabase } from '../src/config/database.js';
import type { Api, Body } from './support/api.js';
import { runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { freePort } from './support/free-port.js';
import { Installation, way } from './support/installation.js';
import { postgresClient, withPostgresClient } from './support/postgres-client.js';
import type { Program } from './support/program.js';
import { dialingEnvironment, providerEnvironment } from './support/provider-environment.js';
import { RESOURCES } from './support/resources.js';
import { runScript } from './support/run-script.js';

/** How many people each of the two callouts has: more than are called before the program is killed. */
const PEOPLE = 90;

/** How many new calls show that dialing continues. */
const SOME_CALLS = 10;

const FINAL_AT_PROVIDER = new Set(['completed', 'busy', 'no-answer', 'failed', 'canceled']);
const FINAL = `'completed', 'busy', 'not_answered', 'failed', 'canceled', 'errored'`;

let provider: Installation;
let simulator: Api;
let first: Installation;
let restored: Installation | undefined;
let folder: string;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-restore-'));
  port = await freePort();
  provider = await Installation.createEmbedded();
  simulator = (await provider.start({ ...providerEnvironment, SIMULATOR_SPEED: '40' })).api;
  first = await Installation.create();
});
afterEach(async () => {
  await restored?.remove();
  await first.remove();
  await provider.remove();
  rmSync(folder, { recursive: true, force: true });
});

const settings = (): Record<string, string> => ({
  ...dialingEnvironment(simulator.url),
  PORT: String(port),
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  PROVIDER_TIMEOUT: '2',
  RECONCILE_AFTER: '2',
  FETCHES_PER_SECOND: '200',
});

const statistics = async (): Promise<Body> => (await simulator.get('/simulator/statistics')).body;

/** Waits until the provider has accepted a number of further calls. */
async function waitForCalls(count: number): Promise<void> {
  const { created } = await statistics();
  await eventually(async () => (await statistics()).created >= created + count);
}

/** Dials two callouts. One of them was never started. */
async function runCampaigns(api: Api): Promise<number[]> {
  await first.insertContacts(2 * PEOPLE);
  const half = [PEOPLE + 1, 2 * PEOPLE].map((n) => `+85590${1_000_000 + n}`);
  await first.query(
    `UPDATE contacts SET metadata = '{"group":"b"}' WHERE msisdn BETWEEN '${half[0]}' AND '${half[1]}'`,
  );
  const callouts: number[] = [];
  for (const [metadata, event] of [
    [{ many: 'yes' }, 'start'],
    [{ group: 'b' }, undefined],
  ] as const) {
    const callout = await api.createCallout();
    callouts.push(callout);
    await runBatchOperation(api, callout, 'CalloutPopulation', { contact_filter_params: { metadata } });
    await runBatchOperation(api, callout, 'PhoneCallCreate', { remote_request_params: { from: '2442' } });
    if (event) await sendCalloutEvent(api, callout, event);
  }
  for (const callout of callouts) await runBatchOperation(api, callout, 'PhoneCallQueue');
  return callouts;
}

async function backUp(): Promise<{ file: string; time: string }> {
  const file = join(folder, 'scfm.backup');
  const { code, output, error } = await runScript('backup.js', [file], { ...withPostgresClient, ...first.environment });
  expect([code, error]).toEqual([0, '']);
  return { file, time: /as it was at (\S+):/.exec(output)![1]! };
}

/** Restores a backup as docs/operations.md describes it for each database. */
async function restore(file: string): Promise<Installation> {
  if (way === 'embedded') {
    const { path } = readDatabase(first.environment) as { path: string };
    for (const old of [path, `${path}-wal`, `${path}-shm`])
      if (existsSync(old)) renameSync(old, join(folder, basename(old)));
    copyFileSync(file, path);
    return first;
  }
  restored = await Installation.create();
  const arguments_ = ['--exit-on-error', '--no-owner', `--dbname=${restored.environment.DATABASE_URL}`, file];
  execFileSync(postgresClient.pg_restore!, arguments_, { stdio: ['ignore', 'ignore', 'inherit'] });
  return restored;
}

async function recordsOf({ api }: Program): Promise<Map<string, number[]>> {
  const records = new Map<string, number[]>();
  for (const resource of RESOURCES) records.set(resource, await api.listIds(`/api/${resource}`));
  return records;
}

it('restores a backup of a running campaign: no record is missing, nobody is called twice, dialing continues', async () => {
  const program = await first.start({ ...settings(), CALLS_PER_SECOND: '6' });
  const callouts = await runCampaigns(program.api);
  await waitForCalls(SOME_CALLS);
  const before = await recordsOf(program);
  const { file, time } = await backUp();
  await waitForCalls(SOME_CALLS);
  const [late] = await program.api.createContacts({ msisdn: '+85510202101' });
  await program.kill();
  const placedBefore = (await statistics()).created;
  expect(placedBefore).toBeLessThan(2 * PEOPLE);

  const installation = await restore(file);
  const reconcile = () => runScript('reconcile.js', [time], { ...installation.environment, ...settings() });
  const web = await installation.start({ ...settings(), SCFM_ROLE: 'web' });
  for (const [resource, ids] of await recordsOf(web))
    expect(ids).toEqual(expect.arrayContaining(before.get(resource)!));
  expect((await web.api.get(`/api/contacts/${late}`)).status).toBe(404);
  expect(await reconcile()).toMatchObject({ code: 1, error: expect.stringContaining(callouts.join(', ')) });
  const dialed = await web.api.listIds('/api/callouts?q[status]=initialized,scheduled,running');
  expect(dialed).toEqual(callouts);
  for (const callout of dialed) await sendCalloutEvent(web.api, callout, 'pause');
  await eventually(async () =>
    Object.keys((await statistics()).by_status).every((status) => FINAL_AT_PROVIDER.has(status)),
  );
  const { code, output, error } = await reconcile();
  expect([code, error]).toEqual([0, '']);
  const [, lost, uncertain] = /lists (\d+) calls .* know\. (\d+) phone calls are uncertain/.exec(output)!.map(Number);
  expect(lost).toBeGreaterThanOrEqual(SOME_CALLS);
  expect(uncertain).toBeGreaterThan(0);
  expect((await statistics()).created).toBe(placedBefore);
  await web.stop();

  const { api } = await installation.start({ ...settings(), CALLS_PER_SECOND: '200' });
  for (const callout of callouts) await sendCalloutEvent(api, callout, 'resume');
  await eventually(async () => {
    const [row] = await installation.query<Body>(
      `SELECT count(*) AS open FROM phone_calls WHERE status NOT IN (${FINAL})`,
    );
    return Number(row.open) === 0;
  });
  const { created, rung_again: again } = await statistics();
  expect([created, again]).toEqual([2 * PEOPLE, {}]);
  const [calls] = await installation.query<Body>(
    `SELECT count(*) AS calls, count(DISTINCT contact_id) AS people, count(DISTINCT remote_call_id) AS rung
      FROM phone_calls`,
  );
  expect(Object.values(calls).map(Number)).toEqual([2 * PEOPLE, 2 * PEOPLE, 2 * PEOPLE]);
});
