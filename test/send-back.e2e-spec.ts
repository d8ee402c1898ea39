import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { encodeForm, formStyles } from './support/forms.js';
import { Installation } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

const metadata = { n: 5, f: 1.5, yes: true, none: null, text: '5', list: [1, 'a'], deep: { no: false, o: {}, l: [] } };
const flow = 'CallFlowLogic::PlayMessage';

let installation: Installation;
let api: Api;
/** The paths of records, at least one for each resource. */
const paths: string[] = [];
let signedWebhook: SendSignedWebhook;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  api = (await installation.start({ SIMULATOR_SPEED: '200', CALLS_PER_SECOND: '200' })).api;
  const create = async (path: string, body: object): Promise<Body> => {
    const answer = await api.post(path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
    return answer.body;
  };
  const contact = await create('/api/contacts', { msisdn: '+855102029900', metadata });
  const callout = await create('/api/callouts', { call_flow_logic: flow, metadata: { ...metadata, message: 'Flood' } });
  const participation = await create(`/api/callouts/${callout.id}/callout_participations`, { contact_id: contact.id });
  const params = {
    remote_request_params: { from: '2442', timeout: 30, status_callback_event: ['ringing', 'completed'] },
  };
  const calls = `/api/callout_participations/${participation.id}/phone_calls`;
  const created = await create(calls, { ...params, metadata });
  const called = await create(calls, params);
  await create(`/api/phone_calls/${called.id}/phone_call_events`, { event: 'queue' });
  await eventually(async () => (await api.get(`/api/phone_calls/${called.id}`)).body.status === 'completed');
  const population = await create(`/api/callouts/${callout.id}/batch_operations`, {
    type: 'BatchOperation::CalloutPopulation',
    metadata,
  });
  await api.runBatchOperation(population.id);
  const creation = await create('/api/batch_operations', {
    type: 'BatchOperation::PhoneCallCreate',
    parameters: { ...params, limit: 1, callout_filter_params: {}, skip_validate_preview_presence: true },
  });
  const hidden = {
    CallSid: 'CA1',
    Direction: 'inbound',
    From: 'Anonymous',
    CallStatus: 'ringing',
    AnsweredBy: 'human',
  };
  const event = (await signedWebhook(api, hidden)).headers.get('location')!;
  const inbound = (await api.get(event)).body.phone_call_id;
  paths.push(
    `/api/contacts/${contact.id}`,
    `/api/callouts/${callout.id}`,
    `/api/callout_participations/${participation.id}`,
    ...[created.id, called.id, inbound].map((id) => `/api/phone_calls/${id}`),
    ...[population.id, creation.id].map((id) => `/api/batch_operations/${id}`),
    event,
  );
});
afterAll(() => installation.remove());

describe('a record that is sent back unchanged', () => {
  it('changes nothing, as JSON and as a form', async () => {
    for (const path of paths) {
      const { body } = await api.get(path);
      const multipart = new FormData();
      for (const pair of new URLSearchParams(encodeForm(body, { nulls: 'blank', lists: 'indexes' }))) {
        multipart.append(...pair);
      }
      for (const sent of [body, ...formStyles.map((style) => encodeForm(body, style)), multipart]) {
        for (const method of ['put', 'patch'] as const) {
          const answer = await api[method](path, sent);
          expect([path, sent, answer.status, answer.text]).toEqual([path, sent, 204, '']);
          expect((await api.get(path)).body).toEqual(body);
        }
      }
    }
  });

  it('is changed if a writable attribute differs, and refused if a read-only one does', async () => {
    for (const path of paths) {
      const { body } = await api.get(path);
      const changed = await api.put(path, { ...body, metadata: { ...body.metadata, n: 6 } });
      expect([path, changed.status]).toEqual([path, 204]);
      expect((await api.get(path)).body.metadata).toEqual({ ...body.metadata, n: 6 });
      for (const [key, value] of [
        ['id', body.id + 1],
        ['created_at', null],
        ['updated_at', '2017-11-29T00:00:00.000Z'],
        ['nonsense', body.id],
      ]) {
        const refused = await api.put(path, { ...body, updated_at: undefined, [key]: value });
        expect([refused.status, refused.body]).toEqual([422, { errors: { [key]: ['is not a permitted parameter'] } }]);
      }
    }
  });
});

describe('an inherited attribute', () => {
  it('is not stored in the record that is sent back', async () => {
    const callout = paths.find((path) => path.startsWith('/api/callouts/'))!;
    const inheriting = paths.filter((path) => /callout_participations|phone_calls/.test(path)).slice(0, 2);
    for (const path of inheriting) {
      const { body } = await api.get(path);
      expect(body.call_flow_logic).toBe(flow);
      await api.put(path, body);
    }
    await api.patch(callout, { call_flow_logic: 'CallFlowLogic::Application' });
    for (const path of inheriting) {
      expect((await api.get(path)).body.call_flow_logic).toBe('CallFlowLogic::Application');
    }
  });
});
