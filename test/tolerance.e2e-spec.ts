import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { Installation } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let api: Api;
let contacts: number[];
let callout: number;
let participation: Body;

const params = { from: '2442' };
let signedWebhook: SendSignedWebhook;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  api = (await installation.start()).api;
  contacts = await api.createContacts({ msisdn: '+85510202101' }, { msisdn: '+85510202102' });
  callout = await api.createCallout();
  const path = `/api/callouts/${callout}/callout_participations`;
  participation = (await api.post(path, { contact_id: contacts[0] })).body;
  await api.post(path, { contact_id: contacts[1] });
  await api.post(`/api/callout_participations/${participation.id}/phone_calls`, { remote_request_params: params });
});
afterAll(() => installation.remove());

/** @returns the body of a report without the times that depend on when it was made */
const withoutTime = (text: string): string => text.replaceAll(/"(at|first_round_ends_at|ends_at)":"[^"]+",/g, '');

describe('a path', () => {
  it('can end with a slash, a format, or both, on every route', async () => {
    const { paths } = (await api.get('/docs-json')).body;
    for (const [described, methods] of Object.entries<object>(paths)) {
      const path = described.replace('{id}', '1');
      for (const method of Object.keys(methods).map((one) => one.toUpperCase())) {
        // The body is invalid, so that no request changes anything.
        const body = ['POST', 'PUT', 'PATCH'].includes(method) ? { nonsense: 1 } : undefined;
        if (method === 'DELETE') continue;
        const { status, text } = await api.send(method, path, body);
        for (const suffix of ['/', '.json', '.json/']) {
          const same = await api.send(method, `${path}${suffix}`, body);
          expect([method, path + suffix, same.status]).toEqual([method, path + suffix, status]);
          if (!path.startsWith('/health')) expect(withoutTime(same.text)).toBe(withoutTime(text));
        }
      }
    }
    const [id] = await api.createContacts({ msisdn: '+85510202199' });
    expect((await api.delete(`/api/contacts/${id}.json`)).status).toBe(204);
  });

  it('keeps its query, and links have the path as it was sent', async () => {
    const { body, headers } = await api.get('/api/contacts.json?per_page=1&page=2');
    expect(body.map(({ id }: Body) => id)).toEqual([contacts[1]]);
    expect(headers.get('link')).toContain(`<${api.url}/api/contacts.json?page=1&per_page=1>; rel="first"`);
  });

  it.each(['/api/contacts.xml', '/api/contacts.jsonp', '/api/contacts//', '/api/contacts.json.json', '/api/.json'])(
    '%s does not exist',
    async (path) => expect((await api.get(path)).status).toBe(404),
  );

  it.each(['', '/', '.json', '.xml', '.xml/'])(
    'of the webhook can end with "%s", and is signed as it is sent',
    async (suffix) => {
      const call = { CallSid: `CA${suffix}`, Direction: 'inbound', From: '+85510202103', CallStatus: 'ringing' };
      const answer = await signedWebhook(api, call, { suffix });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/xml; charset=utf-8']);
      expect((await signedWebhook(api, call, { suffix, signedSuffix: '/x' })).status).toBe(403);
    },
  );

  it('of a public route is public with every suffix', async () => {
    const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'password' };
    const guarded = (await installation.start(credentials)).api;
    expect((await guarded.get('/health/live/')).status).toBe(200);
    expect((await guarded.get('/health/ready.json')).status).toBe(200);
    for (const path of ['/api/contacts/', '/api/contacts.json', '/docs/', '/docs-json/']) {
      expect((await guarded.get(path)).status).toBe(401);
    }
  });
});

describe('a boolean', () => {
  const filtered = (word: string) => api.listIds(`/api/callout_participations?q[has_phone_calls]=${word}`);

  it.each(['true', 'TRUE', '1', 't', 'Yes', 'on'])('can be written as %s', async (word) => {
    expect(await filtered(word)).toEqual([participation.id]);
  });

  it.each(['false', 'False', '0', 'f', 'no', 'OFF'])('can be written as %s', async (word) => {
    expect(await filtered(word)).toEqual([participation.id + 1]);
  });

  it.each(['maybe', '2', '', 'true,false'])('cannot be %j', async (word) => {
    const { status, body } = await api.get(`/api/callout_participations?q[has_phone_calls]=${word}`);
    expect([status, body.message]).toEqual([400, 'q[has_phone_calls] must be true or false']);
  });

  it('is parsed the same way in the parameters of a batch operation', async () => {
    const [optedOut] = await api.createContacts({ msisdn: '+85510202104', metadata: { do_not_call: true } });
    const preview = async (given: object) => {
      const id = await api.createPopulation(callout, given);
      return api.listIds(`/api/batch_operations/${id}/preview/contacts`);
    };
    for (const yes of ['YES', 'on', 1, true]) expect(await preview({ include_do_not_call: yes })).toContain(optedOut);
    for (const no of ['No', '0', 0, false, '', null]) {
      expect(await preview({ include_do_not_call: no })).not.toContain(optedOut);
    }
    const empty = { skip_validate_preview_presence: 'T', phone_call_filter_params: { status: 'completed' } };
    const type = 'BatchOperation::PhoneCallQueue';
    expect((await api.post('/api/batch_operations', { type, parameters: empty })).status).toBe(201);
    for (const [names, kind, more] of [
      [['include_do_not_call'], 'CalloutPopulation', {}],
      [['include_do_not_call', 'skip_validate_preview_presence'], 'PhoneCallQueue', {}],
      [['include_do_not_call', 'skip_validate_preview_presence'], 'PhoneCallCreate', { remote_request_params: params }],
    ] as const) {
      for (const value of ['maybe', 2, ['true'], { toString: 'true' }]) {
        const parameters = { ...more, ...Object.fromEntries(names.map((name) => [name, value])) };
        const given = { type: `BatchOperation::${kind}`, callout_id: callout, parameters };
        const { status, body } = await api.post('/api/batch_operations', given);
        const errors = Object.fromEntries(names.map((name) => [name, ['must be true or false']]));
        expect([status, body]).toEqual([422, { errors }]);
      }
    }
  });
});

describe('a blank value', () => {
  it.each(['', ' ', null])('%j counts as absent for every optional attribute', async (blank) => {
    const contact = await api.post('/api/contacts', {
      msisdn: '+85510202150',
      metadata: blank,
      metadata_merge_mode: blank,
    });
    expect([contact.status, contact.body.metadata]).toEqual([201, {}]);
    expect((await api.patch(`/api/contacts/${contact.body.id}`, { metadata: blank })).status).toBe(204);
    await api.delete(`/api/contacts/${contact.body.id}`);

    const calls = `/api/callout_participations/${participation.id}/phone_calls`;
    const call = await api.post(calls, {
      msisdn: blank,
      metadata: blank,
      remote_request_params: { ...params, url: blank, twiml: blank, status_callback_event: [blank, 'ringing'] },
    });
    expect([call.status, call.body.msisdn]).toEqual([201, participation.msisdn]);
    expect(call.body.remote_request_params).toEqual({ ...params, status_callback_event: ['ringing'] });
    expect((await api.patch(`/api/phone_calls/${call.body.id}`, { remote_request_params: blank })).status).toBe(204);
    expect((await api.get(`/api/phone_calls/${call.body.id}`)).body).toEqual(call.body);
    const nothing = await api.post(calls, { remote_request_params: { from: blank } });
    expect(nothing.body).toEqual({ errors: { remote_request_params: ["can't be blank"] } });
    await api.delete(`/api/phone_calls/${call.body.id}`);

    const operation = await api.post('/api/batch_operations', {
      type: 'BatchOperation::PhoneCallCreate',
      callout_id: blank,
      metadata: blank,
      parameters: {
        remote_request_params: { ...params, twiml: blank },
        callout_filter_params: blank,
        limit: blank,
        max: blank,
        max_per_period: blank,
        max_per_period_hours: blank,
        max_per_period_statuses: blank,
        max_per_period_timestamp_attribute: blank,
        skip_validate_preview_presence: blank,
      },
    });
    expect([operation.status, operation.body]).toMatchObject([201, { callout_id: null, metadata: {} }]);
    expect(operation.body.parameters).toEqual({ remote_request_params: params });
    const population = await api.post(`/api/callouts/${callout}/batch_operations`, {
      type: 'BatchOperation::CalloutPopulation',
      parameters: blank,
    });
    expect([population.status, population.body.parameters]).toEqual([201, {}]);
  });

  it('is a value in a metadata filter', async () => {
    const [id] = await api.createContacts({ msisdn: '+85510202151', metadata: { nick: '' } });
    const parameters = { contact_filter_params: { metadata: { nick: '' } } };
    const population = await api.createPopulation(callout, parameters);
    expect(await api.listIds(`/api/batch_operations/${population}/preview/contacts`)).toEqual([id]);
  });

  it('is an error for a required attribute', async () => {
    expect((await api.post('/api/contacts', { msisdn: '' })).body.errors.msisdn).toEqual(["can't be blank"]);
    const event = await api.post(`/api/callouts/${callout}/callout_events`, 'event=');
    expect(event.body.errors.event).toEqual(['is not included in the list']);
  });

  it('list counts as an empty object, because PHP writes it so', async () => {
    const { body } = await api.post('/api/contacts', { msisdn: '+85510202152', metadata: [] });
    expect(body.metadata).toEqual({});
    const population = await api.post(`/api/callouts/${callout}/batch_operations`, {
      type: 'BatchOperation::CalloutPopulation',
      parameters: [],
      metadata: [],
    });
    expect([population.body.parameters, population.body.metadata]).toEqual([{}, {}]);
  });
});

describe('a checkbox with its hidden field', () => {
  it('has the last of its values', async () => {
    const multipart = new FormData();
    for (const [name, value] of [
      ['msisdn', '+85510202161'],
      ['metadata[a]', '0'],
      ['metadata[a]', '1'],
    ] as const) {
      multipart.append(name, value);
    }
    for (const body of ['msisdn=%2B85510202160&metadata[a]=0&metadata[a]=1', multipart]) {
      expect((await api.post('/api/contacts', body)).body.metadata).toEqual({ a: '1' });
    }
  });

  it('is refused in a query, where it is ambiguous', async () => {
    const { status, body } = await api.get('/api/contacts?q[metadata][a]=0&q[metadata][a]=1');
    expect([status, body.message]).toEqual([400, 'q[metadata][a] is given twice']);
  });
});

it.each([
  ['Application/JSON', '{"msisdn":"NUMBER","metadata":{"n":5}}', 5],
  ['APPLICATION/JSON; Charset=UTF-8', '{"msisdn":"NUMBER","metadata":{"n":5}}', 5],
  ['Application/X-WWW-Form-Urlencoded', 'msisdn=NUMBER&metadata[n]=5', '5'],
  [
    'Multipart/Form-Data; boundary=X',
    '--X\r\nContent-Disposition: form-data; name="msisdn"\r\n\r\nNUMBER\r\n' +
      '--X\r\nContent-Disposition: form-data; name="metadata[n]"\r\n\r\n5\r\n--X--\r\n',
    '5',
  ],
])('a media type is case-insensitive: %s', async (type, body, n) => {
  const content = body.replace('NUMBER', '85510202170');
  const { status, body: made } = await api.send('POST', '/api/contacts', content, { 'Content-Type': type });
  expect([status, made.metadata]).toEqual([201, { n }]);
  const changed = await api.send('PUT', `/api/contacts/${made.id}`, content, { 'Content-Type': type });
  expect(changed.status).toBe(204);
  expect((await api.get(`/api/contacts/${made.id}`)).body).toEqual(made);
  await api.delete(`/api/contacts/${made.id}`);
});

it('a time can be written in every usual format', async () => {
  for (const time of ['2017-11-29 00:00:00 UTC', '20171129T000000Z', '20171129', '2017-11-29T00:00:00%2B07:00']) {
    expect(await api.listIds(`/api/callouts?q[created_at_after]=${time}`)).toEqual([callout]);
  }
  const { status, body } = await api.get('/api/callouts?q[created_at_after]=2017-11-29T00:00:00%2B99:99');
  expect([status, body.message]).toEqual([400, 'q[created_at_after] must be an ISO 8601 date or timestamp']);
});

describe('a compressed body', () => {
  it.each(['gzip', 'br', 'Deflate', 'identity, gzip'])('(%s) is refused with 415', async (coding) => {
    const total = async () => (await api.get('/api/callouts?per_page=1')).headers.get('total');
    const before = await total();
    const { status, body } = await api.send('POST', '/api/callouts', '{}', { 'Content-Encoding': coding });
    expect([status, body.message]).toEqual([415, expect.stringContaining('Content-Encoding')]);
    expect(await total()).toBe(before);
  });

  it('can have the encoding identity', async () => {
    const { status } = await api.send('POST', '/api/callouts', '{}', {
      'Content-Type': 'application/json',
      'Content-Encoding': 'identity',
    });
    expect(status).toBe(201);
  });
});

describe('a client that has a response already', () => {
  it('gets 304 without a body for a record and for a list, until they change', async () => {
    const id = await api.createCallout();
    for (const path of [`/api/callouts/${id}`, '/api/callouts?per_page=1&q[status]=initialized']) {
      const first = await api.get(path);
      const tag = first.headers.get('etag')!;
      expect(tag).toMatch(/^W\/"[\da-f]{32}"$/);
      for (const header of [tag, tag.slice(2), `"other", ${tag}`, '*']) {
        const again = await api.get(path, { 'If-None-Match': header });
        expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', tag]);
        expect(again.headers.get('total')).toBe(first.headers.get('total'));
      }
      expect((await api.get(path, { 'If-None-Match': '"other"' })).status).toBe(200);
    }
    const tag = (await api.get(`/api/callouts/${id}`)).headers.get('etag')!;
    await api.patch(`/api/callouts/${id}`, { metadata: { changed: 'yes' } });
    expect((await api.get(`/api/callouts/${id}`, { 'If-None-Match': tag })).status).toBe(200);
  });
});
