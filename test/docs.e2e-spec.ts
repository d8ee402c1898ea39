import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiResponse, Api, Body } from './support/api.js';
import { Installation } from './support/installation.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let api: Api;
let document: Body;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  api = (await installation.start()).api;
  document = (await api.get('/docs-json')).body;
});
afterAll(() => installation.remove());

/** All routes of the API. */
const routes = [
  'GET POST /api/contacts',
  'GET PATCH PUT DELETE /api/contacts/{id}',
  'GET /api/contacts/{id}/callouts',
  'GET /api/contacts/{id}/callout_participations',
  'GET /api/contacts/{id}/phone_calls',
  'GET /api/contacts/{id}/remote_phone_call_events',
  'GET POST /api/callouts',
  'GET PATCH PUT DELETE /api/callouts/{id}',
  'POST /api/callouts/{id}/callout_events',
  'GET /api/callouts/{id}/coverage',
  'GET /api/callouts/{id}/coverage.csv',
  'GET /api/callouts/{id}/timeline',
  'GET /api/callouts/{id}/left_out/contacts',
  'GET /api/callouts/{id}/recall',
  'GET /api/callouts/{id}/forecast',
  'GET /api/callouts/{id}/contacts',
  'GET POST /api/callouts/{id}/callout_participations',
  'GET POST /api/callouts/{id}/batch_operations',
  'GET /api/callouts/{id}/phone_calls',
  'GET /api/callouts/{id}/remote_phone_call_events',
  'GET /api/callout_participations',
  'GET POST /api/callout_participations/{id}/phone_calls',
  'GET /api/callout_participations/{id}/remote_phone_call_events',
  'GET PATCH PUT DELETE /api/callout_participations/{id}',
  'GET POST /api/batch_operations',
  'GET PATCH PUT DELETE /api/batch_operations/{id}',
  'POST /api/batch_operations/{id}/batch_operation_events',
  'GET /api/batch_operations/{id}/contacts',
  'GET /api/batch_operations/{id}/callout_participations',
  'GET /api/batch_operations/{id}/phone_calls',
  'GET /api/batch_operations/{id}/preview/contacts',
  'GET /api/batch_operations/{id}/preview/callout_participations',
  'GET /api/batch_operations/{id}/preview/phone_calls',
  'GET /api/phone_calls',
  'GET PATCH PUT DELETE /api/phone_calls/{id}',
  'POST /api/phone_calls/{id}/phone_call_events',
  'GET /api/phone_calls/{id}/remote_phone_call_events',
  'GET POST /api/remote_phone_call_events',
  'GET PATCH PUT /api/remote_phone_call_events/{id}',
  'GET /api/events',
  'GET /health/live',
  'GET /health/ready',
];

it('describes exactly the routes of the API', () => {
  const described = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const expected = routes.flatMap((route) => {
    const [path, ...methods] = route.split(' ').reverse();
    return methods.map((method) => `${method} ${path}`);
  });
  expect(described.sort()).toEqual(expected.sort());
});

it('describes both body types, the filters, the headers and the errors of a route', () => {
  const { get, post } = document.paths['/api/contacts'];
  expect(Object.keys(post.requestBody.content).sort()).toEqual([
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
  ]);
  const q = get.parameters.find(({ name }: { name: string }) => name === 'q');
  expect(q).toMatchObject({ in: 'query', style: 'deepObject', explode: true, required: false });
  expect(Object.keys(q.schema.properties)).toEqual([
    'msisdn',
    'metadata',
    ...['created_at', 'updated_at'].flatMap((time) =>
      ['before', 'or_before', 'after', 'or_after'].map((comparison) => `${time}_${comparison}`),
    ),
  ]);
  expect(Object.keys(get.responses['200'].headers)).toEqual(['X-Request-Id', 'Per-Page', 'Total', 'Link']);
  expect(Object.keys(post.responses['201'].headers)).toEqual(['X-Request-Id', 'Location']);
  expect(Object.keys(post.responses).sort()).toEqual(['201', '400', '413', '415', '422', '503']);
  expect(Object.keys(document.components.schemas.Contact.properties)).toEqual([
    'id',
    'msisdn',
    'metadata',
    'created_at',
    'updated_at',
  ]);
});

describe('the responses of the API', () => {
  it('match the document, for every route and every described status', async () => {
    const seen = new Set<string>();
    const check = (route: string, answer: ApiResponse): ApiResponse => {
      expectDescribed(route, answer);
      seen.add(`${route} ${answer.status}`);
      return answer;
    };
    const contact = { msisdn: '+85510202101', metadata: { name: 'Alice' } };
    check('post /api/contacts', await api.post('/api/contacts', contact));
    check('post /api/callouts', await api.post('/api/callouts', { metadata: { a: 1 } }));
    const population = { type: 'BatchOperation::CalloutPopulation', callout_id: 1 };
    check('post /api/batch_operations', await api.post('/api/batch_operations', population));
    const event = { event: 'queue' };
    const events = '/api/batch_operations/1/batch_operation_events';
    check('post /api/batch_operations/{id}/batch_operation_events', await api.post(events, event));
    await api.waitForBatchOperation(1);
    const calls = '/api/callouts/1/callout_participations';
    const [second] = await api.createContacts({ msisdn: '+85510202102' });
    check('post /api/callouts/{id}/callout_participations', await api.post(calls, { contact_id: second }));
    const operations = '/api/callouts/1/batch_operations';
    check('post /api/callouts/{id}/batch_operations', await api.post(operations, { type: population.type }));
    const started = await api.post('/api/callouts/1/callout_events', { event: 'start' });
    check('post /api/callouts/{id}/callout_events', started);

    const attempt = { remote_request_params: { from: '2442' } };
    const attempts = '/api/callout_participations/1/phone_calls';
    check('post /api/callout_participations/{id}/phone_calls', await api.post(attempts, attempt));
    const create = { type: 'BatchOperation::PhoneCallCreate', parameters: attempt };
    const creation = (await api.post('/api/batch_operations', create)).body.id;
    const queueing = (await api.post('/api/batch_operations', { type: 'BatchOperation::PhoneCallQueue' })).body.id;
    for (const [id, list] of [
      [creation, 'phone_calls'],
      [creation, 'preview/callout_participations'],
      [queueing, 'preview/phone_calls'],
    ]) {
      const [route, path] = [`get /api/batch_operations/{id}/${list}`, `/api/batch_operations/${id}/${list}`];
      check(route, await api.get(path));
      check(route, await api.get(`${path}?nonsense=1`));
    }
    const webhook = '/api/remote_phone_call_events';
    const inboundCall = { CallSid: 'CA1', Direction: 'inbound', From: '+85510202109', CallStatus: 'ringing' };
    check(`post ${webhook}`, await signedWebhook(api, inboundCall));
    check(`post ${webhook}`, await signedWebhook(api, { CallSid: 'CA2' }));
    const tooMany = Object.fromEntries(Array.from({ length: 2_001 }, (_, n) => [`p${n}`, '']));
    check(`post ${webhook}`, await signedWebhook(api, tooMany));
    check(`post ${webhook}`, await signedWebhook(api, { CallSid: 'x'.repeat(70_000) }));
    check(`post ${webhook}`, await signedWebhook(api, {}, { headers: { 'Content-Type': 'application/xml' } }));
    check(
      'post /api/phone_calls/{id}/phone_call_events',
      await api.post('/api/phone_calls/1/phone_call_events', event),
    );

    // Then the callout has a receipt.
    check(
      'post /api/callouts/{id}/callout_events',
      await api.post('/api/callouts/1/callout_events', { event: 'stop' }),
    );

    for (const [path, methods] of Object.entries<object>(document.paths)) {
      const at = (id: string) => path.replace('{id}', id);
      for (const method of Object.keys(methods)) {
        const route = `${method} ${path}`;
        const send = (target: string, body?: string | object) => api.send(method.toUpperCase(), target, body);
        if (method === 'get') check(route, await send(at('1')));
        if (path.includes('{id}')) check(route, await send(at('99999'), method === 'get' ? undefined : {}));
        if (path.startsWith('/api')) {
          check(route, await send(`${at('1')}?nonsense=1`));
          check(route, await send(`${at('1')}?a[=1`));
        }
        if (['post', 'patch', 'put'].includes(method)) {
          check(route, await send(at('1'), { nonsense: 1, event: 'explode' }));
          check(route, await send(at('1'), `a=${'x'.repeat(1_100_000)}`));
          check(route, await api.send(method.toUpperCase(), at('1'), '<a/>', { 'Content-Type': 'application/xml' }));
        }
        if (method === 'patch' || method === 'put') check(route, await send(at('1'), { metadata: { b: 2 } }));
      }
    }
    for (const plural of ['phone_calls', 'callout_participations', 'contacts', 'callouts', 'batch_operations']) {
      const create = {
        contacts: () => api.createContacts({ msisdn: '+85510202103' }).then(([id]) => id),
        callouts: () => api.createCallout(),
        batch_operations: () => api.createPopulation(1),
        phone_calls: async () => (await api.post(attempts, attempt)).body.id,
        callout_participations: async () => 2,
      }[plural]!;
      check(`delete /api/${plural}/{id}`, await api.delete(`/api/${plural}/${await create()}`));
    }
    expect(describedAnswers().filter((answer) => !seen.has(answer))).toEqual([]);
  });

  /** Every response that the document describes, except those of an unavailable service. */
  function describedAnswers(): string[] {
    return Object.entries<Record<string, Body>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { responses }]) =>
        Object.keys(responses)
          .filter((status) => status !== '503')
          .map((status) => `${method} ${path} ${status}`),
      ),
    );
  }
});

function expectDescribed(route: string, { status, body, headers, text }: ApiResponse): void {
  const [method, path] = route.split(' ') as [string, string];
  const described = document.paths[path][method].responses[status];
  expect(described, `${route} answers ${status}, which is not described: ${text}`).toBeDefined();
  for (const name of Object.keys(described.headers ?? {}).filter((header) => header !== 'Link')) {
    expect(headers.has(name), `${route} ${status} has no ${name}`).toBe(true);
  }
  if (described.content?.['application/xml']) {
    return expect(headers.get('content-type')).toBe('application/xml; charset=utf-8');
  }
  if (described.content?.['text/csv']) {
    return expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
  }
  const schema = described.content?.['application/json']?.schema;
  if (!schema) return expect(text).toBe('');
  const ajv = new Ajv({ strict: false });
  formats.default(ajv);
  const validate = ajv.compile({ ...closed(schema), components: closed(document.components) });
  expect(validate(body), `${route} ${status}: ${ajv.errorsText(validate.errors)} in ${text}`).toBe(true);
}

/** @returns the schema, in which objects may have no other properties than the described ones */
function closed(schema: Body): Body {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const nested = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const open = schema.type !== 'object' || !schema.properties || 'additionalProperties' in schema;
  return open ? nested : { ...nested, additionalProperties: false };
}

it('describes a dial plan and an audience, with an example of a callout that can be sent as it is', async () => {
  const { properties } = document.components.schemas.CalloutDto;
  const example = Object.fromEntries(
    Object.entries<Body>(properties).map(([name, schema]) => [name, schema.example ?? schema.default]),
  );
  const { dial_plan: plan, audience } = properties;
  expect(Object.keys(example.dial_plan)).toEqual(Object.keys(plan.properties));
  expect(Object.keys(audience.properties)).toEqual(['contact_filter_params', 'include_do_not_call', 'keep_adding']);
  expect(described(plan).filter(([, { description }]) => !description)).toEqual([]);
  const created = await api.post('/api/callouts', example);
  const { metadata_merge_mode: _, ...shown } = example;
  expect([created.status, created.body]).toEqual([201, expect.objectContaining(shown)]);
  expectDescribed('post /api/callouts', created);
  const { body: started } = await api.post(`/api/callouts/${created.body.id}/callout_events`, { event: 'start' });
  expect(started.status).toBe('scheduled');
  await api.post(`/api/callouts/${created.body.id}/callout_events`, { event: 'stop' });
});

/** @returns all properties in a schema, also in its nested ones, with their names */
function described({ properties = {}, items = {} }: Body): [name: string, schema: Body][] {
  const own = Object.entries<Body>(properties);
  return [...own, ...[...own.map(([, schema]) => schema), ...(items.type ? [items] : [])].flatMap(described)];
}

describe('the page', () => {
  it('loads nothing from other hosts', async () => {
    const page = await api.get('/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).not.toMatch(/^(https?:)?\/\//);
      expect((await api.get(new URL(link, `${api.url}/docs`).pathname)).status).toBe(200);
    }
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  it('is where the root redirects to', async () => {
    const { status, headers } = await api.get('/');
    expect([status, headers.get('location')]).toEqual([302, '/docs']);
  });
});
