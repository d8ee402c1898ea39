import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApiResponse, Api } from './support/api.js';
import { createPausedCallout, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

const PEOPLE = 200_000;

/** More lists at once than either database has connections for them. */
const CROWD = 12;

let installation: Installation;
let signedWebhook: SendSignedWebhook;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  await installation.start({ SCFM_ROLE: 'web' });
  await installation.insertContacts(PEOPLE);
});
afterEach(() => installation.killAll());
afterAll(() => installation.remove());

/** A list that takes a minute: two hundred keys must be absent from the metadata of each contact. */
const longList = `/api/contacts?${Array.from({ length: 200 }, (_, n) => `q[metadata][absent_${n}]`).join('&')}`;

/** Asks for lists that take long, until the function that it returns has them left. None of them may end before. */
function crowd(api: Api): () => Promise<void> {
  const controller = new AbortController();
  let ended = 0;
  const lists = Array.from({ length: CROWD }, async () => {
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

/** How many statements of the program's run on PostgreSQL for longer than a moment. */
async function runningStatements(): Promise<number> {
  const [row] = await installation.query<{ count: string }>(
    `SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'scfm'
      AND state = 'active' AND query LIKE 'SELECT counted.listed%' AND pid <> pg_backend_pid()`,
  );
  return Number(row!.count);
}

describe('lists that take long', () => {
  it('end after READ_TIMEOUT with a sentence, and those that wait for a connection too', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '1' });
    const answers = await Promise.all(Array.from({ length: CROWD }, () => api.get(longList)));
    for (const { status, body, headers } of answers) {
      expect([status, body]).toEqual([
        503,
        {
          status: 503,
          error: 'Service ServiceUnavailableError',
          message: 'the list took longer than READ_TIMEOUT (1 s): narrow it by its filters, or walk it with after_id',
        },
      ]);
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect((await api.get('/api/contacts?per_page=1')).status).toBe(200);
  });

  it('hold up nothing else: webhooks, changes, records by their ids, dialing, health', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '300', OPT_OUT_KEY: 'none' });
    const [id] = await api.createContacts({ msisdn: '+85510202101', metadata: { group: 'long' } });
    const callout = await createPausedCallout(api, { msisdn: '+85510202101' });
    const leave = crowd(api);
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
    await leave();
  });

  it('end when their clients leave, and the connections are free for others', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '300' });
    const leave = crowd(api);
    if (way === 'cluster') await eventually(async () => (await runningStatements()) > 0);
    await leave();
    expect((await api.get('/api/contacts?q[metadata][many]=yes&per_page=1')).headers.get('total')).toBe(String(PEOPLE));
    if (way === 'cluster') await eventually(async () => (await runningStatements()) === 0);
  });
});

describe.runIf(way === 'cluster')('clients that take all connections which they may have', () => {
  it('leave webhooks and dialing theirs', async () => {
    const { api } = await installation.start({ READ_TIMEOUT: '300', DATABASE_WAIT: '300' });
    await api.createContacts({ msisdn: '+85510202111' });
    const callout = await createPausedCallout(api, { msisdn: '+85510202111' });
    const [call] = (await api.get(`/api/callouts/${callout}/phone_calls`)).body;
    const leave = crowd(api);
    const holder = await installation.connect();
    for (const statement of [
      'SET idle_in_transaction_session_timeout = 0',
      'BEGIN',
      'LOCK TABLE callouts IN SHARE MODE',
    ]) {
      await holder.query(statement);
    }
    let changed = 0;
    const changes = Array.from({ length: CROWD }, async () => {
      const { status } = await api.post('/api/callouts');
      changed++;
      return status;
    });
    const told = { CallStatus: 'ringing', Direction: 'outbound-api', From: '2442', To: '+85510202111' };
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const webhook = { ...told, CallSid: 'CA-held', SequenceNumber: String(n) };
        return (await signedWebhook(api, webhook, { query: `?phone_call_id=${call.id}` })).status;
      }),
    );
    expect(statuses).toEqual(Array(20).fill(201));
    expect((await api.get('/health/ready')).status).toBe(200);
    expect(changed).toBe(0);
    await holder.query('COMMIT');
    await holder.close();
    expect(await Promise.all(changes)).toEqual(Array(CROWD).fill(201));
    await leave();
  });
});
