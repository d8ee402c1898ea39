import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { encodeForm } from './support/forms.js';
import { Installation } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let api: Api;
let signedWebhook: SendSignedWebhook;
let contact: number;
let callout: number;
let participation: number;

const params = { from: '2442' };

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
  signedWebhook = signedWebhookSender(installation);
  [contact] = (await api.createContacts({ msisdn: '+85510202101' })) as [number];
  callout = await api.createCallout();
  const joined = await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: contact });
  participation = joined.body.id;
});
afterAll(() => installation.remove());

/** JSON values that break or mislead code which converts them to a text, a number or JSON. */
const inner = fc.oneof(fc.constantFrom('x', '1', 'true', null, 0, {}, []), fc.string({ unit: 'grapheme' }));
const trap = fc.constantFrom('toString', 'valueOf', 'toJSON', 'length', 'then', 'constructor', 'hasOwnProperty', '0');
const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(trap, inner, { minKeys: 1, maxKeys: 3, noNullPrototype: true }) },
  fc.array(fc.dictionary(trap, inner, { minKeys: 1, noNullPrototype: true }), { minLength: 1, maxLength: 2 }),
  fc.constantFrom<unknown>([['true']], [[]], 1e300, 0, 1.5, true),
);

const expectNoServerError = async (method: string, path: string, body?: string | object) => {
  const { status, text } = await api.send(method, path, body);
  expect([method, path, status < 500 || text]).toEqual([method, path, true]);
};

describe('a value with the keys of special methods', () => {
  it('causes no server error as any attribute of any route', async () => {
    const { paths, components } = (await api.get('/docs-json')).body;
    const routes = Object.entries<Record<string, Body>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { requestBody }]) => {
        const { $ref } = requestBody?.content['application/json']?.schema ?? {};
        const properties = $ref ? Object.keys(components.schemas[$ref.split('/').at(-1)].properties) : [];
        return properties.map((property): [string, string, string] => [method.toUpperCase(), path, property]);
      }),
    );
    expect(routes.length).toBeGreaterThan(40);
    for (const [method, path, property] of routes) {
      await fc.assert(
        fc.asyncProperty(hostile, (value) =>
          expectNoServerError(method, path.replace('{id}', '1'), {
            type: 'BatchOperation::CalloutPopulation',
            [property]: value,
          }),
        ),
        { numRuns: 8 },
      );
    }
  });

  it('causes no server error as any filter', async () => {
    const { paths } = (await api.get('/docs-json')).body;
    for (const [path, { get }] of Object.entries<Record<string, Body>>(paths)) {
      const filters = get?.parameters?.find(({ name }: Body) => name === 'q')?.schema.properties ?? {};
      for (const filter of Object.keys(filters)) {
        await fc.assert(
          fc.asyncProperty(hostile, async (value) => {
            const query = encodeForm({ q: { [filter]: value } }, { nulls: 'blank', lists: 'brackets' });
            await expectNoServerError('GET', `${path.replace('{id}', '1')}?${query}`);
          }),
          { numRuns: 5 },
        );
      }
    }
  });

  it('causes no server error as any parameter of a batch operation', async () => {
    const commonNames = ['include_do_not_call'];
    const callNames = [
      'callout_filter_params',
      'callout_participation_filter_params',
      'phone_call_filter_params',
      'skip_validate_preview_presence',
      'limit',
      'max',
      'max_per_period',
      'max_per_period_hours',
      'max_per_period_timestamp_attribute',
      'max_per_period_statuses',
      'remote_request_params',
    ];
    for (const [type, names] of [
      ['CalloutPopulation', [...commonNames, 'contact_filter_params']],
      ['PhoneCallCreate', [...commonNames, ...callNames]],
      ['PhoneCallQueue', [...commonNames, ...callNames]],
    ] as const) {
      for (const name of names) {
        await fc.assert(
          fc.asyncProperty(hostile, async (value) => {
            const filter = { status: value, has_phone_calls: value, callout_id: value, metadata: { a: value } };
            for (const given of name.endsWith('filter_params') ? [value, filter] : [value, { from: value }]) {
              const parameters = { remote_request_params: params, [name]: given };
              const body = { type: `BatchOperation::${type}`, callout_id: callout, parameters };
              await expectNoServerError('POST', '/api/batch_operations', body);
            }
          }),
          { numRuns: 8 },
        );
      }
    }
  });
});

describe('such a value in metadata', () => {
  it('causes no error when a callout starts, or in the webhooks of a call', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.nat({ max: 1_000_000 }), async (value, number) => {
        const flow = { call_flow_logic: 'CallFlowLogic::PlayMessage' };
        const metadata = { message: 'Flood', language: value, voice: value, prompt: value, audio_url: value };
        const { body: created } = await api.post('/api/callouts', { ...flow, metadata });
        await expectNoServerError('POST', `/api/callouts/${created.id}/callout_events`, { event: 'start' });
        const answered = { answered_by: value, calling_back: value };
        const calls = `/api/callout_participations/${participation}/phone_calls`;
        const { body: call } = await api.post(calls, { metadata: answered, remote_request_params: params });
        await api.patch(`/api/contacts/${contact}`, { metadata: { do_not_call: value } });
        await api.patch(`/api/phone_calls/${call.id}`, { metadata: answered });
        for (const CallStatus of ['ringing', 'in-progress', 'completed']) {
          const webhook = { CallSid: `CA${number}-${call.id}`, CallStatus, Direction: 'outbound-api' };
          const answer = await signedWebhook(api, webhook, { query: `?phone_call_id=${call.id}` });
          expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('<Response')]);
        }
        expect((await api.get(`/api/phone_calls/${call.id}`)).body).toMatchObject({
          status: 'completed',
          metadata: answered,
        });
      }),
      { numRuns: 40 },
    );
  });
});
