import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { createPausedCallout, runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';

const MESSAGE = 'The person has asked for no more calls: nobody was called.';

/** The calls that are queued while people opt out (issue 12), and the number of people who do. */
const QUEUED = 10_000;
const OPTING_OUT = 150;

let installation: Installation;
let api: Api;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '300', CALLS_PER_SECOND: '400' })).api;
});
afterAll(() => installation.remove());
afterAll(() => expectConsistentBookkeeping(installation));

const number = () => `+85570${String(2_000_000 + ++numbers * 10_000)}`;
const endedStatuses = ['completed', 'busy', 'not_answered', 'failed', 'canceled', 'errored'];

async function callsOf(callout: number): Promise<Body[]> {
  return eventually(async () => {
    const { body } = await api.get(`/api/callouts/${callout}/phone_calls`);
    return body.every(({ status }: Body) => endedStatuses.includes(status)) && body;
  });
}

describe('a queued call', () => {
  it.each([
    ['the contact opts out', { do_not_call: { at: 'x' } }, true],
    ['the contact opts out with a word', { do_not_call: 'yes' }, true],
    ['the contact opts out with a word between blanks', { do_not_call: '\u00a0 Yes\t' }, true],
    ['the contact opts in with a word between blanks', { do_not_call: '\t NO\u00a0' }, false],
    ['the contact opts in with blanks', { do_not_call: ' \u00a0\n' }, false],
    ['the contact opts in with a word', { do_not_call: 'no' }, false],
    ['the contact opts in with a JSON value', { do_not_call: false }, false],
    ['the contact changes something else', { town: 'x' }, false],
  ])('when %s', async (_, metadata, canceled) => {
    const [id] = await api.createContacts({ msisdn: number(), metadata: { group: `g${numbers}` } });
    const callout = await createPausedCallout(api, { metadata: { group: `g${numbers}` } });
    expect((await api.patch(`/api/contacts/${id}`, { metadata })).status).toBe(204);
    await sendCalloutEvent(api, callout, 'resume');
    const [call] = await callsOf(callout);
    if (!canceled) return expect(call.remote_call_id).toMatch(/^CA/);
    expect(call).toMatchObject({ status: 'canceled', remote_call_id: null, remote_error_message: MESSAGE });
  });

  it('is canceled when the contact with the called number opts out, although another contact participates', async () => {
    const shared = number();
    const [contact_id] = await api.createContacts({ msisdn: number() });
    const callout = await api.createCallout();
    await sendCalloutEvent(api, callout, 'pause');
    await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id, msisdn: shared });
    await runBatchOperation(api, callout, 'PhoneCallCreate', { remote_request_params: { from: '2442' } });
    await runBatchOperation(api, callout, 'PhoneCallQueue');
    await api.createContacts({ msisdn: shared, metadata: { do_not_call: true } });
    await sendCalloutEvent(api, callout, 'resume');
    expect(await callsOf(callout)).toMatchObject([{ status: 'canceled', remote_error_message: MESSAGE }]);
  });

  it.each([
    ['the population', { population: { include_do_not_call: 'yes' } }],
    ['the population, with spaces', { population: { include_do_not_call: '\u00a0 Yes\t' } }],
    ['the operation that made the call', { create: { include_do_not_call: true } }],
    ['the operation that queued it', { queue: { include_do_not_call: '1' } }],
  ] as [string, Record<string, object>][])(
    'is still placed when %s includes people who opted out',
    async (_, parameters) => {
      const group = `g${++numbers}`;
      const [id] = await api.createContacts({ msisdn: number(), metadata: { group } });
      const callout = await api.createCallout();
      await sendCalloutEvent(api, callout, 'pause');
      const filter = { contact_filter_params: { metadata: { group } }, ...parameters.population };
      await runBatchOperation(api, callout, 'CalloutPopulation', filter);
      const create = { remote_request_params: { from: '2442' }, ...parameters.create };
      await runBatchOperation(api, callout, 'PhoneCallCreate', create);
      await runBatchOperation(api, callout, 'PhoneCallQueue', { ...parameters.queue });
      await api.patch(`/api/contacts/${id}`, { metadata: { do_not_call: 'yes' } });
      await sendCalloutEvent(api, callout, 'resume');
      expect((await callsOf(callout))[0].remote_call_id).toMatch(/^CA/);
    },
  );

  it('does not keep other calls from being placed, however many calls are canceled', async () => {
    const group = `g${++numbers}`;
    const people = Array.from({ length: 60 }, () => ({ msisdn: number(), metadata: { group } }));
    const ids = await api.createContacts(...people);
    const callout = await createPausedCallout(api, { metadata: { group } });
    for (const id of ids.slice(0, 55)) await api.patch(`/api/contacts/${id}`, { metadata: { do_not_call: 'yes' } });
    await sendCalloutEvent(api, callout, 'resume');
    const { body } = await api.get(`/api/callouts/${callout}/phone_calls?per_page=100`);
    expect(body).toHaveLength(60);
    await eventually(async () => {
      const { headers } = await api.get(`/api/callouts/${callout}/phone_calls?q[status]=canceled`);
      return headers.get('total') === '55';
    });
  });
});

describe.runIf(way === 'cluster')('a claim while somebody is opting out', () => {
  it('waits for the end of the transaction, and then calls nobody', async () => {
    const group = `g${++numbers}`;
    const [id] = await api.createContacts({ msisdn: number(), metadata: { group } });
    const callout = await createPausedCallout(api, { metadata: { group } });
    const database = await installation.connect();
    await database.query('SET idle_in_transaction_session_timeout = 0');
    await database.query('BEGIN');
    await database.query(`UPDATE contacts SET metadata = '{"do_not_call": true}' WHERE id = ${id}`);
    await sendCalloutEvent(api, callout, 'resume');
    await eventually(async () => {
      const [{ waiting }] = (await installation.query<Body>(
        `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )) as [Body];
      return Number(waiting) > 0;
    });
    expect((await api.get(`/api/callouts/${callout}/phone_calls`)).body).toMatchObject([{ remote_call_id: null }]);
    await database.query('COMMIT');
    await database.close();
    expect(await callsOf(callout)).toMatchObject([{ status: 'canceled', remote_call_id: null }]);
  });
});

describe('opting out while ten thousand calls are queued', () => {
  it('takes effect when it is stored: no call is claimed afterwards', async () => {
    await installation.insertContacts(QUEUED);
    const callout = await createPausedCallout(api, { metadata: { many: 'yes' } });
    const people = await api.get('/api/contacts?q[metadata][many]=yes&per_page=1000');
    const candidates = people.body.slice(0, 4 * OPTING_OUT).map(({ id }: Body) => id);
    await sendCalloutEvent(api, callout, 'resume');
    // People are dialed in order: some are called before they opt out, some at the same time, and some never.
    const optedOut: number[] = [];
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        while (optedOut.length < OPTING_OUT && candidates.length > 0) {
          const id = candidates.splice(Math.floor(candidates.length / 2), 1)[0]!;
          optedOut.push(id);
          expect((await api.patch(`/api/contacts/${id}`, { metadata: { do_not_call: true } })).status).toBe(204);
        }
      }),
    );
    await sendCalloutEvent(api, callout, 'stop');
    await eventually(async () => {
      const { headers } = await api.get(`/api/callouts/${callout}/phone_calls?q[status]=queued&per_page=1`);
      return headers.get('total') === '0';
    });
    const dialed = await installation.query<Body>(
      `SELECT phone_calls.id, dialled_at, contacts.updated_at AS opted_out_at FROM phone_calls
        JOIN contacts ON contacts.id = phone_calls.contact_id
        WHERE contacts.id IN (${optedOut.join()}) AND dialled_at IS NOT NULL`,
    );
    const late = dialed.filter(({ dialled_at, opted_out_at }) => new Date(dialled_at) > new Date(opted_out_at));
    expect(late).toEqual([]);
    const [{ canceled }] = (await installation.query<Body>(
      `SELECT count(*) AS canceled FROM phone_calls WHERE contact_id IN (${optedOut.join()}) AND status = 'canceled'`,
    )) as [Body];
    expect(Number(canceled) + dialed.length).toBe(optedOut.length);
  });
});
