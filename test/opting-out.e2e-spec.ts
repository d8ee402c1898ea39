import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { createPausedCallout, runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';

const MESSAGE = 'The person has asked for no more calls: nobody was called.';

/** Queued while people opt out, as many as issue 12 asks for; and how many of them do. */
const CROWD = 10_000;
const LEAVING = 150;

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
const over = ['completed', 'busy', 'not_answered', 'failed', 'canceled', 'errored'];

async function callsOf(callout: number): Promise<Body[]> {
  return eventually(async () => {
    const { body } = await api.get(`/api/callouts/${callout}/phone_calls`);
    return body.every(({ status }: Body) => over.includes(status)) && body;
  });
}

describe('a call that is queued already', () => {
  it.each([
    ['the contact asks for no more calls', { do_not_call: { at: 'x' } }, true],
    ['the contact says so in a word', { do_not_call: 'yes' }, true],
    ['the contact says so in a word between blanks', { do_not_call: '\u00a0 Yes\t' }, true],
    ['the contact has taken the wish back, between blanks', { do_not_call: '\t NO\u00a0' }, false],
    ['the contact has taken the wish back by blanks', { do_not_call: ' \u00a0\n' }, false],
    ['the contact has taken the wish back', { do_not_call: 'no' }, false],
    ['the contact has taken the wish back, in JSON', { do_not_call: false }, false],
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

  it('is canceled when the holder of the number that is called opts out, though another contact takes part', async () => {
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
  ] as [string, Record<string, object>][])('is placed all the same when %s says so', async (_, parameters) => {
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
  });

  it('does not take the place of calls that may be placed, however many must not be', async () => {
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
  it('waits for the end of that transaction, and then calls nobody', async () => {
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
  it('holds from the moment at which it is stored: no dial is claimed after it', async () => {
    await installation.insertContacts(CROWD);
    const callout = await createPausedCallout(api, { metadata: { many: 'yes' } });
    const people = await api.get('/api/contacts?q[metadata][many]=yes&per_page=1000');
    const leaving = people.body.slice(0, 4 * LEAVING).map(({ id }: Body) => id);
    await sendCalloutEvent(api, callout, 'resume');
    // The first people are dialed first: some are called before they opt out, some while they do, and some never.
    const left: number[] = [];
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        while (left.length < LEAVING && leaving.length > 0) {
          const id = leaving.splice(Math.floor(leaving.length / 2), 1)[0]!;
          left.push(id);
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
      `SELECT phone_calls.id, dialled_at, contacts.updated_at AS left_at FROM phone_calls
        JOIN contacts ON contacts.id = phone_calls.contact_id
        WHERE contacts.id IN (${left.join()}) AND dialled_at IS NOT NULL`,
    );
    const late = dialed.filter(({ dialled_at, left_at }) => new Date(dialled_at) > new Date(left_at));
    expect(late).toEqual([]);
    const [{ canceled }] = (await installation.query<Body>(
      `SELECT count(*) AS canceled FROM phone_calls WHERE contact_id IN (${left.join()}) AND status = 'canceled'`,
    )) as [Body];
    expect(Number(canceled) + dialed.length).toBe(left.length);
  });
});
