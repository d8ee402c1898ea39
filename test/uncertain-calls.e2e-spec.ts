import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let api: Api;

beforeEach(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  api = (await installation.start({ SIMULATOR_SPEED: '60', RECONCILE_AFTER: '1', PROVIDER_TIMEOUT: '2' })).api;
});
afterEach(() => installation.remove());
afterEach(() => expectConsistentBookkeeping(installation));

/** Parameters of a call whose callbacks go nowhere, so that only the provider's list contains it. */
const SILENT = { from: '2442', status_callback: 'http://127.0.0.1:1/' };

async function participation(msisdn: string): Promise<number> {
  const [contact_id] = await api.createContacts({ msisdn });
  return (await api.post(`/api/callouts/${await api.createCallout()}/callout_participations`, { contact_id })).body.id;
}

/**
 * Creates and queues a call.
 * @returns its id
 */
async function dial(participationId: number, remote_request_params: object = SILENT): Promise<number> {
  const path = `/api/callout_participations/${participationId}/phone_calls`;
  const { body } = await api.post(path, { remote_request_params });
  await api.post(`/api/phone_calls/${body.id}/phone_call_events`, 'event=queue');
  return body.id;
}

const call = async (id: number): Promise<Body> => (await api.get(`/api/phone_calls/${id}`)).body;
const withRemoteId = (id: number): Promise<Body> =>
  eventually(async () => {
    const shown = await call(id);
    return shown.remote_call_id !== null && shown;
  });

it('is found while it waits in the queue of the provider, hours before it rings', async () => {
  await api.put('/simulator/faults', { queue_seconds: 3_600 });
  const found = await withRemoteId(await dial(await participation('+85512009951')));
  expect(found).toMatchObject({ status: 'remotely_queued', remote_status: 'queued' });
  expect(found.remote_response.start_time).toBeNull();
});

it('is not matched with a call that another program placed to the person', async () => {
  const msisdn = '+85512009950';
  const id = await dial(await participation(msisdn));
  await eventually(async () => (await call(id)).status === 'uncertain');
  const foreign = await api.post('/simulator/foreign_calls', { to: msisdn, from: '+85523999999' });
  expect(foreign.status).toBe(201);
  await eventually(async () => {
    const [row] = await installation.query<Body>(`SELECT checks FROM phone_calls WHERE id = ${id}`);
    return Number(row.checks) >= 2;
  });
  expect(await call(id)).toMatchObject({ status: 'uncertain', remote_call_id: null });
});

it('is distinguished from another call to the same person', async () => {
  const joined = await participation('+85512009951');
  const first = await dial(joined);
  await eventually(async () => (await call(first)).status === 'uncertain');
  const second = await dial(joined);
  const [one, two] = await Promise.all([withRemoteId(first), withRemoteId(second)]);
  expect(one.remote_call_id).not.toBe(two.remote_call_id);
  const created = ({ remote_response }: Body): number => Date.parse(remote_response.date_created);
  expect(created(one)).toBeLessThanOrEqual(created(two));
});

it('loses a guessed id when a callback with our id shows to which call the id belongs', async () => {
  const joined = await participation('+85512009951');
  const guess = await withRemoteId(await dial(joined));
  const { body: other } = await api.post(`/api/callout_participations/${joined}/phone_calls`, {
    remote_request_params: { from: '2442' },
  });
  const details = {
    CallSid: guess.remote_call_id,
    CallStatus: 'completed',
    Direction: 'outbound-api',
    SequenceNumber: '9',
  };
  const answer = await signedWebhook(api, details, { query: `?phone_call_id=${other.id}` });
  expect(answer.status).toBe(201);
  expect(await call(other.id)).toMatchObject({ remote_call_id: guess.remote_call_id, status: 'completed' });
  expect(await call(guess.id)).toMatchObject({ remote_call_id: null, status: 'uncertain' });
  const events = (await api.get(`/api/phone_calls/${other.id}/remote_phone_call_events`)).body;
  expect(events.map(({ remote_call_id }: Body) => remote_call_id)).toEqual([guess.remote_call_id]);
});

it('keeps an id from the response of the provider, whatever the URL of a callback says', async () => {
  const joined = await participation('+85512009900');
  const answered = await withRemoteId(await dial(joined, { from: '2442' }));
  const { body: other } = await api.post(`/api/callout_participations/${joined}/phone_calls`, {
    remote_request_params: { from: '2442' },
  });
  const details = { CallSid: 'CA-other', CallStatus: 'ringing', Direction: 'outbound-api', SequenceNumber: '1' };
  expect((await signedWebhook(api, details, { query: `?phone_call_id=${answered.id}` })).status).toBe(422);
  expect((await call(answered.id)).remote_call_id).toBe(answered.remote_call_id);
  expect((await call(other.id)).remote_call_id).toBeNull();
});
