import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApiResponse, Api } from './support/api.js';
import { createPausedCallout, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

const CONTACTS = 200_000;

/** More concurrent lists than either database has connections for. */
const CONCURRENT = 12;

let installation: Installation;
let signedWebhook: SendSignedWebhook;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  await installation.start({ SCFM_ROLE: 'web' });
  await installation.insertContacts(CONTACTS);
});
afterEach(() => installation.killAll());
afterAll(() => installation.remove());

/** A list that takes a minute, because it checks two hundred keys in the metadata of each contact. */
const longList = `/api/contacts?${Array.from({ length: 200 }, (_, n) => `q[metadata][absent_${n}]`).join('&')}`;

/**
 * Requests slow lists.
 * @returns a function that checks that none of them has ended, and aborts them
 */
function startSlowLists(api: Api): () => Promise<void> {
  const controller = new AbortController();
  let ended = 0;
  const lists = Array.from({ length: CONCURRENT }, async () => {
    await fetch(api.url + longList, { signal: controller.signal }).then(
      () => ended++,
      () => undefined,
    );
  });
  return async () => {
    expect(ended).toBe(0);
    controller.abort();
    await Promise.all(lists);
  };
}

/** @returns the number of list statements of the program that PostgreSQL is executing */
async function runningStatements(): Promise<number> {
  const [row] = await installation.query<{ count: string }>(
    `SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'scfm'
      AND state = 'active' AND query LIKE 'SELECT counted.listed%' AND pid <> pg_backend_pid()`,
  );
  return Number(row!.count);
}

describe('slow lists', () => {
  it('end after READ_TIMEOUT with an explanation, also while they wait for a connection', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '1' });
    const answers = await Promise.all(Array.from({ length: CONCURRENT }, () => api.get(longList)));
    for (const { status, body, headers } of answers) {
      expect([status, body]).toEqual([
        503,
        {
          status: 503,
          error: 'Service Unavailable',
          message: 'the list took longer than READ_TIMEOUT (1 s): narrow it by its filters, or walk it with after_id',
        },
      ]);
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect((await api.get('/api/contacts?per_page=1')).status).toBe(200);
  });

  it('do not delay webhooks, changes, single records, dialing and health checks', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '300', OPT_OUT_KEY: 'none' });
    const [id] = await api.createContacts({ msisdn: '+85510202101', metadata: { group: 'long' } });
    const callout = await createPausedCallout(api, { msisdn: '+85510202101' });
    const abortLists = startSlowLists(api);
    const answers: ApiResponse[] = [
      await api.get(`/api/contacts/${id}`),
      await api.post('/api/contacts', { msisdn: '+85510202102' }),
      await api.patch(`/api/contacts/${id}`, { metadata: { seen: true } }),
      await signedWebhook(api, {
        CallSid: 'CA-long',
        CallStatus: 'ringing',
        Direction: 'inbound',
        From: '+85510202103',
      }),
      await api.get('/health/ready'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 204, 201, 200]);
    await sendCalloutEvent(api, callout, 'resume');
    await eventually(async () => {
      const [row] = await installation.query<{ count: string }>(
        `SELECT count(*) AS count FROM phone_calls WHERE callout_id = ${callout} AND remote_call_id IS NOT NULL`,
      );
      return Number(row!.count) === 1;
    });
    await abortLists();
  });

  it('end when their clients disconnect, and free their connections', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '300' });
    const abortLists = startSlowLists(api);
    if (way === 'cluster') await eventually(async () => (await runningStatements()) > 0);
    await abortLists();
    expect((await api.get('/api/contacts?q[metadata][many]=yes&per_page=1')).headers.get('total')).toBe(
      String(CONTACTS),
    );
    if (way === 'cluster') await eventually(async () => (await runningStatements()) === 0);
  });
});

describe.runIf(way === 'cluster')('clients that use all connections of their share', () => {
  it('do not delay webhooks', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '300', DATABASE_WAIT: '300' });
    await api.createContacts({ msisdn: '+85510202111' });
    const callout = await createPausedCallout(api, { msisdn: '+85510202111' });
    const [call] = (await api.get(`/api/callouts/${callout}/phone_calls`)).body;
    const abortLists = startSlowLists(api);
    const locker = await installation.connect();
    for (const statement of [
      'SET idle_in_transaction_session_timeout = 0',
      'BEGIN',
      'LOCK TABLE callouts IN SHARE MODE',
    ]) {
      await locker.query(statement);
    }
    let changed = 0;
    const changes = Array.from({ length: CONCURRENT }, async () => {
      const { status } = await api.post('/api/callouts');
      changed++;
      return status;
    });
    const webhookOfCall = { CallStatus: 'ringing', Direction: 'outbound-api', From: '2442', To: '+85510202111' };
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const webhook = { ...webhookOfCall, CallSid: 'CA-held', SequenceNumber: String(n) };
        return (await signedWebhook(api, webhook, { query: `?phone_call_id=${call.id}` })).status;
      }),
    );
    expect(statuses).toEqual(Array(20).fill(201));
    expect((await api.get('/health/ready')).status).toBe(200);
    expect(changed).toBe(0);
    await locker.query('COMMIT');
    await locker.close();
    expect(await Promise.all(changes)).toEqual(Array(CONCURRENT).fill(201));
    await abortLists();
  });
});
