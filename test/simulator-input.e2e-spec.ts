import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { PROVIDER_SID, providerAuthorization, providerEnvironment } from './support/provider-environment.js';

const calls = `/2010-04-01/Accounts/${PROVIDER_SID}/Calls`;
let installation: Installation;
let api: Api;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ ...providerEnvironment, SIMULATOR_SPEED: '100' })).api;
});
afterAll(() => installation.remove());
beforeEach(() => api.delete('/simulator/faults'));

describe('invalid input', () => {
  const person = '/simulator/people/+85510202101';
  const inbound = { from: '+85510202101', to: '2442' };

  it.each([
    ['POST', '/simulator/inbound_calls', {}],
    ['POST', '/simulator/inbound_calls', { ...inbound, from: 5 }],
    ['POST', '/simulator/inbound_calls', { ...inbound, to: '' }],
    ['POST', '/simulator/inbound_calls', { ...inbound, keys: '1' }],
    ['POST', '/simulator/inbound_calls', { ...inbound, keys: [1] }],
    ['POST', '/simulator/inbound_calls', { ...inbound, keys: [null] }],
    ['POST', '/simulator/inbound_calls', { ...inbound, keys: ['x'] }],
    ['POST', '/simulator/inbound_calls', { ...inbound, url: 5 }],
    ['POST', '/simulator/inbound_calls', { ...inbound, url: 'file:///etc/hostname' }],
    ['POST', '/simulator/inbound_calls', { ...inbound, wait: 'yes' }],
    ['POST', '/simulator/inbound_calls', { ...inbound, nonsense: 1 }],
    ['PUT', person, { keys: {} }],
    ['PUT', person, { ending: 'asleep' }],
    ['PUT', person, { ending: ['busy'] }],
    ['PUT', person, { machine: 'true' }],
    ['PUT', person, { ring: -1 }],
    ['PUT', person, { constructor: 1 }],
    ['PUT', '/simulator/faults', { nonsense: 1 }],
    ['PUT', '/simulator/faults', { create: [] }],
    ['PUT', '/simulator/faults', { create: null }],
    ['PUT', '/simulator/faults', { create: { nonsense: 1 } }],
    ['PUT', '/simulator/faults', { create: { constructor: 1 } }],
    ['PUT', '/simulator/faults', { create: { 429: 2 } }],
    ['PUT', '/simulator/faults', { callbacks: { lost: '1' } }],
    ['PUT', '/simulator/faults', { account: '20003' }],
    ['PUT', '/simulator/faults', { account: 1.5 }],
    ['PUT', '/simulator/faults', { account: 1 }],
    ['PUT', '/simulator/faults', { queue_seconds: -1 }],
    ['PUT', '/simulator/faults', { queue_seconds: 1e9 }],
  ])('to %s %s is rejected: %j', async (method, path, body) => {
    const answer = await api.send(method, path, body);
    expect([answer.status, answer.body]).toEqual([
      400,
      { code: 20422, message: expect.any(String), more_info: expect.any(String), status: 400 },
    ]);
  });

  it.each(['null', '[]', '5', '"x"', 'true', '{', '{"__proto__":{"from":"1"}}', '{"from":1e999}', '\0'])(
    'such as the body %s is rejected',
    async (body) => {
      for (const [method, path] of [
        ['POST', '/simulator/inbound_calls'],
        ['POST', '/simulator/foreign_calls'],
        ['PUT', person],
        ['PUT', '/simulator/faults'],
      ] as const) {
        const response = await fetch(api.url + path, { method, body, headers: { 'Content-Type': 'application/json' } });
        expect([response.status, ((await response.json()) as { code: number }).code]).toEqual([400, 20422]);
      }
    },
  );

  it('such as a form is rejected by the controls, and does not reset the faults', async () => {
    await api.put('/simulator/faults', { account: 20003 });
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
      const response = await fetch(`${api.url}/simulator/faults`, {
        method: 'PUT',
        body: 'account=21205',
        headers: { 'Content-Type': type },
      });
      expect(response.status).toBe(400);
    }
    const form = 'To=%2B85510209900&From=2442&Twiml=<Response/>';
    expect((await api.send('POST', `/simulator${calls}.json`, form, providerAuthorization)).status).toBe(401);
  });

  it('such as an unknown route gets a 404 in the same format', async () => {
    for (const path of [
      '/simulator/nothing',
      '/simulator/calls/CA1/nothing',
      '/simulator/calls/__proto__/transcript',
    ]) {
      const { status, body } = await api.get(path);
      expect([status, body.code]).toEqual([404, 20404]);
    }
  });

  it.each([
    'nothing',
    '<Response>',
    '<Response><Pause length="NaN"/><Pause length="-1"/><Pause length=""/></Response>',
    '<Response><Gather timeout="x" numDigits="__proto__" finishOnKey="123"/></Response>',
    '<Response><Redirect>http://</Redirect></Response>',
    '<Response><Redirect/></Response>',
    '<Response><__proto__/></Response>',
    '<!DOCTYPE x [<!ENTITY a "aaaa">]><Response><Say>&a;&a;</Say></Response>',
  ])('such as the document %s ends the call', async (Twiml) => {
    const form = new URLSearchParams({ To: '+85510209901', From: '2442', Twiml }).toString();
    const { body } = await api.send('POST', `/simulator${calls}.json`, form, providerAuthorization);
    await eventually(async () => {
      const shown = await api.get(`/simulator${calls}/${body.sid}.json`, providerAuthorization);
      return shown.body.status === 'completed';
    });
  });

  it('of any kind, at any route, never causes a server error', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        '',
        '__proto__',
        'constructor',
        'toString',
        '+85510202101',
        '2442',
        'NaN',
        '-1',
        '1e400',
        '%00',
        '../..',
      ),
    );
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), text, fc.constantFrom(null, 1e308, -0, [], {}));
    const keys = ['from', 'to', 'keys', 'url', 'wait', 'machine', 'ending', 'ring', 'create', 'callbacks', 'account'];
    const object = fc.dictionary(fc.oneof(fc.constantFrom(...keys, 'queue_seconds'), text), value, { maxKeys: 5 });
    const body = fc.oneof(
      object.map((given) => JSON.stringify(given)),
      value.map((given) => JSON.stringify(given)),
      text,
    );
    const parameters = [
      'To',
      'From',
      'Url',
      'Twiml',
      'Method',
      'Status',
      'Page',
      'PageSize',
      'PageToken',
      'StartTime>',
    ];
    const form = fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...parameters, 'StatusCallback', 'EndTime<'), text), text), {
        maxLength: 6,
      })
      .map((pairs) => new URLSearchParams(pairs).toString());
    const segment = text.map((given) => encodeURIComponent(given.toWellFormed()) || 'x');
    const path = fc.oneof(
      fc.constantFrom('/inbound_calls', '/foreign_calls', '/faults', '/statistics'),
      segment.map((given) => `/people/${given}`),
      segment.map((given) => `/calls/${given}/transcript`),
      fc.constant(`${calls}.json`),
      segment.map((given) => `${calls}/${given}.json`),
      segment.map((given) => `/2010-04-01/Accounts/${given}/Calls.json`),
      segment.map((given) => `/${given}`),
    );
    const type = fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data',
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'),
      path,
      query: form,
      type,
      content: fc.oneof(body, form),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path: asked, query, type: sent, content }) => {
        await api.delete('/simulator/faults');
        const response = await fetch(`${api.url}/simulator${asked}?${query}`, {
          method,
          headers: { ...providerAuthorization, 'Content-Type': sent },
          ...(!['GET', 'HEAD'].includes(method) && { body: content.toWellFormed() }),
        });
        const answer = await response.text();
        expect({ status: response.status, answer }).toMatchObject({
          status: expect.toSatisfy((status) => status < 500),
        });
        if (response.status >= 400 && method !== 'HEAD') {
          expect(JSON.parse(answer)).toMatchObject({ status: response.status, code: expect.any(Number) });
        }
      }),
      { numRuns: 400 },
    );
  });
});
