import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { dialingEnvironment } from './support/provider-environment.js';

const PEOPLE = 200_000;

/** How many times longer a list may take with old statistics than with current ones. */
const MAX_RATIO = 10;

/** Durations below this (ms) are too short to compare. */
const MIN_DURATION = 50;

describe.runIf(way === 'cluster')('PostgreSQL with statistics from before a campaign', () => {
  let installation: Installation;
  let api: Api;
  const paths: Record<string, string> = {};

  beforeAll(async () => {
    installation = await Installation.create();
    api = (await installation.start({ SCFM_ROLE: 'web', READ_TIMEOUT: '60' })).api;
    const [earlier, callout] = [await api.createCallout(), await api.createCallout()];
    await installation.insertContacts(PEOPLE);
    for (const table of ['contacts', 'callout_participations', 'phone_calls']) {
      await installation.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
    }
    await call(earlier, 'WHERE id % 10 = 0');
    await installation.query('ANALYZE');
    const make = async (type: string, parameters: object) => {
      const all = { skip_validate_preview_presence: true, ...parameters };
      const operation = { type: `BatchOperation::${type}`, parameters: type === 'CalloutPopulation' ? {} : all };
      const { body, text } = await api.post(`/api/callouts/${callout}/batch_operations`, operation);
      if (!body.id) throw new Error(text);
      return `/api/batch_operations/${body.id}`;
    };
    const population = await make('CalloutPopulation', {});
    const creation = await make('PhoneCallCreate', {
      remote_request_params: { from: '2442' },
      callout_participation_filter_params: { has_phone_calls: 'false' },
    });
    const queueing = await make('PhoneCallQueue', {
      callout_filter_params: { status: 'initialized' },
      callout_participation_filter_params: { callout_id: callout, has_phone_calls: 'true' },
    });
    await call(callout);
    const id = Number(population.split('/').at(-1));
    await installation.query(
      `UPDATE callout_participations SET callout_population_id = ${id} WHERE callout_id = ${callout}`,
    );
    Object.assign(paths, {
      'the preview of a population': `${population}/preview/contacts`,
      'the preview of a population, paged by after_id': `${population}/preview/contacts?after_id=0`,
      'the contacts of a population': `${population}/contacts`,
      'the participations in the preview of new calls': `${creation}/preview/callout_participations`,
      'the contacts in the preview of new calls': `${creation}/preview/contacts`,
      'the preview of calls to be queued': `${queueing}/preview/phone_calls`,
      'the preview of calls to be queued, paged by after_id': `${queueing}/preview/phone_calls?after_id=0`,
      'the calls of a callout': `/api/callouts/${callout}/phone_calls?q[status]=created&page=3`,
      'calls by their remote response': `/api/phone_calls?q[remote_response][status]=busy`,
      'calls by their call flow': `/api/phone_calls?q[call_flow_logic]=CallFlowLogic::HelloWorld`,
      'participations without a call': `/api/callouts/${callout}/callout_participations?q[has_phone_calls]=false`,
    });
  }, 120_000);
  afterAll(() => installation.remove());

  /** Adds contacts to a callout, and creates a call to each of them, without the API. */
  async function call(callout: number, condition = ''): Promise<void> {
    await installation.query(
      `INSERT INTO callout_participations (callout_id, contact_id, msisdn)
        SELECT ${callout}, id, msisdn FROM contacts ${condition}`,
    );
    await installation.query(
      `INSERT INTO phone_calls (callout_participation_id, callout_id, contact_id, msisdn, status, remote_request_params)
        SELECT id, callout_id, contact_id, msisdn, 'created', '{"from":"2442"}' FROM callout_participations
        WHERE callout_id = ${callout}`,
    );
  }

  async function times(): Promise<Record<string, number>> {
    const all: Record<string, number> = {};
    for (const [name, path] of Object.entries(paths)) {
      const began = performance.now();
      const { status, text } = await api.get(path);
      expect([path, status, status === 200 || text]).toEqual([path, 200, true]);
      all[name] = performance.now() - began;
    }
    return all;
  }

  it('returns each list in about the time that it takes with current ones', async () => {
    const old = await times();
    await installation.query('VACUUM ANALYZE');
    const fresh = await times();
    const ratios = Object.entries(old).map(
      ([name, time]) => [name, time / Math.max(MIN_DURATION, fresh[name]!)] as const,
    );
    expect(ratios.filter(([, ratio]) => ratio > MAX_RATIO)).toEqual([]);
  }, 300_000);
});

/** The most blocks that one scan of the participations may read. To look up a row in an index takes about four. */
const MAX_BLOCKS = 20;

/** The scans after which their blocks are counted: some steps of the callout runner. */
const SCANS = 100;

describe.runIf(way === 'cluster')('the callout runner, with statistics from before a callout', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
    await (await installation.start({ SCFM_ROLE: 'web' })).stop('SIGTERM');
    const participate = (callout: number, values: string, condition: string) =>
      installation.query(`INSERT INTO callout_participations (callout_id, contact_id, msisdn, outcome, next_call_at)
        SELECT ${callout}, id, msisdn, ${values} FROM contacts WHERE ${condition}`);
    await installation.insertContacts(PEOPLE);
    for (const table of ['callout_participations', 'callouts', 'phone_calls'])
      await installation.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
    const plan = JSON.stringify({ remote_request_params: { from: '2442' } });
    await installation.query(`INSERT INTO callouts (status) VALUES ('paused')`);
    await participate(1, `'calling', NULL`, 'id <= 1000');
    await installation.query('ANALYZE');
    await participate(1, `'waiting', NULL`, 'id > 1000 AND id % 2 = 0');
    await installation.query(`INSERT INTO callouts (status, dial_plan) VALUES ('running', '${plan}')`);
    await participate(2, `'answered', NULL`, 'id > 3 AND id % 2 = 0');
    await participate(2, `'retrying', clock_timestamp() + interval '20 minutes'`, 'id > 3 AND id % 2 = 1');
    await participate(2, `'waiting', NULL`, 'id <= 2');
    await participate(2, `'retrying', clock_timestamp()`, 'id = 3');
  }, 120_000);
  afterAll(() => installation.remove());

  async function readCosts(): Promise<{ scans: number; blocks: number }> {
    const [row] = await installation.query<Record<'scans' | 'blocks', string>>(
      `SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS scans,
          heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit AS blocks
        FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid)
        WHERE relid = 'callout_participations'::regclass`,
    );
    return { scans: Number(row!.scans), blocks: Number(row!.blocks) };
  }

  it('makes the attempts that are due, and reads no others of the people', async () => {
    const before = await readCosts();
    await installation.start({
      SCFM_ROLE: 'worker',
      PUBLIC_URL: 'https://scfm.example.org',
      ...dialingEnvironment('http://127.0.0.1:1'),
    });
    await eventually(async () => {
      const made = await installation.query('SELECT 1 FROM phone_calls WHERE attempt = 1');
      return made.length === 3 && (await readCosts()).scans - before.scans >= SCANS;
    });
    const { scans, blocks } = await readCosts();
    expect((blocks - before.blocks) / (scans - before.scans)).toBeLessThan(MAX_BLOCKS);
  });
});
