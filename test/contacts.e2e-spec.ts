import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { Installation } from './support/installation.js';

let installation: Installation;
let api: Api;
let next = 0;

/** Returns a number that was not used before. */
const number = () => `+8551020${String(++next).padStart(4, '0')}`;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
});
afterAll(() => installation.remove());

describe('a body', () => {
  it.each([
    ['a form', (msisdn: string) => `msisdn=${encodeURIComponent(msisdn)}&metadata[n][x]=1&metadata[list][]=a`],
    ['a form with leading brackets', (msisdn: string) => `msisdn=${msisdn}&[metadata][n][x]=1&[metadata][list][]=a`],
    ['JSON', (msisdn: string) => ({ msisdn, metadata: { n: { x: '1' }, list: ['a'] } })],
    [
      'multipart',
      (msisdn: string) => {
        const form = new FormData();
        form.append('msisdn', msisdn);
        form.append('metadata[n][x]', '1');
        form.append('metadata[list][]', 'a');
        return form;
      },
    ],
  ])('may be %s', async (_, write) => {
    const msisdn = number();
    const { status, body, headers } = await api.post('/api/contacts', write(msisdn));
    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(['id', 'msisdn', 'metadata', 'created_at', 'updated_at']);
    expect(body).toMatchObject({ msisdn, metadata: { n: { x: '1' }, list: ['a'] } });
    expect(headers.get('location')).toBe(`/api/contacts/${body.id}`);
    expect((await api.get(headers.get('location')!)).body).toEqual(body);
  });

  it('keeps the types of JSON values', async () => {
    const metadata = {
      n: 5,
      f: 1.5,
      yes: true,
      no: null,
      list: [1, 'a', { b: [] }],
      o: {},
      constructor: { prototype: 1 },
    };
    const { body } = await api.post('/api/contacts', { msisdn: Number(number().slice(1)), metadata });
    expect(body.metadata).toEqual(metadata);
  });

  it.each([
    ['application/json', '{"msisdn":', 400, 'the body is not JSON'],
    ['application/json', '[1]', 400, 'the body must be a JSON object'],
    ['application/json', '"x"', 400, 'the body must be a JSON object'],
    ['application/json', '{"metadata":{"a":"\\u0000"}}', 400, 'NUL'],
    ['application/json', '{"metadata":{"a\\u0000":1}}', 400, 'NUL'],
    ['application/json', '{"metadata":{"a":"\\ud800"}}', 400, 'not well-formed'],
    ['application/json', '{"metadata":{"a":1e999}}', 400, 'too large'],
    ['application/json', '{"metadata":{"__proto__":{"x":1}}}', 400, '__proto__'],
    ['application/json', `{"metadata":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`, 400, 'nested deeper'],
    ['application/json', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'not UTF-8'],
    ['application/x-www-form-urlencoded', 'msisdn=1&msisdn[a]=2', 400, 'msisdn[a] is given in two shapes'],
    ['application/x-www-form-urlencoded', 'msisdn=%00', 400, 'NUL'],
    ['multipart/form-data; boundary=x', 'nonsense', 400, ''],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nc\r\n--x--\r\n',
      400,
      'a is a file',
    ],
    ['application/xml', '<a/>', 415, ''],
    ['text/plain', 'msisdn=1', 415, ''],
    ['application/json', JSON.stringify({ metadata: { a: 'x'.repeat(1_100_000) } }), 413, ''],
    ['application/x-www-form-urlencoded', `a=${'x'.repeat(1_100_000)}`, 413, ''],
  ])('%s %.40s is answered %i', async (type, content, status, message) => {
    const response = await fetch(`${api.url}/api/contacts`, {
      method: 'POST',
      body: content,
      headers: { 'Content-Type': type },
    });
    const error = { 400: 'Bad Request', 413: /Payload Too Large/, 415: 'Unsupported Media Type' }[status];
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      status,
      error: typeof error === 'string' ? error : expect.stringMatching(error!),
      message: expect.stringContaining(message),
    });
  });
});

describe('a contact', () => {
  it.each([
    [{}, { msisdn: ["can't be blank"] }],
    [{ msisdn: '  ' }, { msisdn: ["can't be blank"] }],
    [{ msisdn: null }, { msisdn: ["can't be blank"] }],
    [{ msisdn: '123' }, { msisdn: ['is an invalid number'] }],
    [{ msisdn: ['+85510202101'] }, { msisdn: ['is an invalid number'] }],
    [{ msisdn: { a: 1 } }, { msisdn: ['is an invalid number'] }],
    [
      { msisdn: 'x', metadata: ['a'], metadata_merge_mode: 'sum', nonsense: 1 },
      {
        msisdn: ['is an invalid number'],
        metadata: ['must be an object'],
        metadata_merge_mode: ['is not included in the list'],
        nonsense: ['is not a permitted parameter'],
      },
    ],
    [{ msisdn: '+85510999999', metadata: 'a' }, { metadata: ['must be an object'] }],
    [{ msisdn: '+85510999999', id: 7 }, { id: ['is not a permitted parameter'] }],
    [{ msisdn: '+85510999999', constructor: 1 }, { constructor: ['is not a permitted parameter'] }],
  ])('%j is refused with every broken field', async (contact, errors) => {
    const before = (await api.get('/api/contacts')).headers.get('total');
    const { status, body } = await api.post('/api/contacts', contact);
    expect([status, body]).toEqual([422, { errors }]);
    expect((await api.get('/api/contacts')).headers.get('total')).toBe(before);
  });

  it('has a unique number, in any spelling', async () => {
    await api.createContacts({ msisdn: '+85510300001' });
    const { status, body } = await api.post('/api/contacts', 'msisdn=855 10-300-001');
    expect([status, body]).toEqual([422, { errors: { msisdn: ['has already been taken'] } }]);
    const [other] = await api.createContacts({ msisdn: number() });
    expect((await api.patch(`/api/contacts/${other}`, 'msisdn=%2B85510300001')).body).toEqual(body);
  });

  it('is found by any spelling of its number, but not by a text that only begins with it', async () => {
    const { body: made } = await api.post('/api/contacts', { msisdn: 'tel:+855-12-345-678' });
    expect(made.msisdn).toBe('+85512345678');
    const found = (text: string) => api.get(`/api/contacts?q[msisdn]=${encodeURIComponent(text)}`);
    for (const text of ['(+855) 12 345 678', '\u200E+៨៥៥ ១២ ៣៤៥ ៦៧៨', '855.12.345.678'])
      expect((await found(text)).body).toEqual([made]);
    for (const text of ['85512345678.0', '85512345678/2', '85512345678 (2)', '85512345678-1', '+86282452253']) {
      expect((await found(text)).status).toBe(400);
      const { status, body } = await api.post('/api/contacts', { msisdn: text });
      expect([status, body]).toEqual([422, { errors: { msisdn: ['is an invalid number'] } }]);
    }
  });

  it('is created once by twenty concurrent requests', async () => {
    const msisdn = number();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.post('/api/contacts', { msisdn })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(422)]);
  });

  it.each(['patch', 'put'] as const)('is updated by %s, whose response is empty', async (method) => {
    const [id] = await api.createContacts({ msisdn: number(), metadata: { a: 1, b: { c: 1, d: 2 } } });
    const before = (await api.get(`/api/contacts/${id}`)).body;
    const answer = await api[method](`/api/contacts/${id}`, { metadata: { b: { c: 3 } } });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const after = (await api.get(`/api/contacts/${id}`)).body;
    expect(after).toMatchObject({
      msisdn: before.msisdn,
      metadata: { a: 1, b: { c: 3 } },
      created_at: before.created_at,
    });
    expect(after.updated_at > before.updated_at).toBe(true);
  });

  it('merges metadata according to the mode, wherever the mode is given', async () => {
    const [id] = await api.createContacts({ msisdn: number(), metadata: { a: 1, b: { c: 1, d: 2 } } });
    await api.patch(`/api/contacts/${id}`, 'metadata[b][c]=3&metadata_merge_mode=deep_merge');
    expect((await api.get(`/api/contacts/${id}`)).body.metadata).toEqual({ a: 1, b: { c: '3', d: 2 } });
    await api.patch(`/api/contacts/${id}`, 'metadata_merge_mode=replace&metadata[z]=1');
    expect((await api.get(`/api/contacts/${id}`)).body.metadata).toEqual({ z: '1' });
  });

  it('loses none of twenty concurrent updates', async () => {
    const [id] = await api.createContacts({ msisdn: number() });
    const keys = Array.from({ length: 20 }, (_, n) => `key${n}`);
    await Promise.all(keys.map((key) => api.patch(`/api/contacts/${id}`, { metadata: { [key]: 1 } })));
    expect(Object.keys((await api.get(`/api/contacts/${id}`)).body.metadata).sort()).toEqual(keys.sort());
  });

  it('cannot be deleted while it takes part in a callout', async () => {
    const [id] = await api.createContacts({ msisdn: number() });
    const callout = await api.createCallout();
    const { body: participation } = await api.post(`/api/callouts/${callout}/callout_participations`, {
      contact_id: id,
    });
    const base = ['Cannot delete record because dependent callout participations exist'];
    const refused = await api.delete(`/api/contacts/${id}`);
    expect([refused.status, refused.body]).toEqual([422, { errors: { base } }]);
    await api.delete(`/api/callout_participations/${participation.id}`);
    expect((await api.delete(`/api/contacts/${id}`)).status).toBe(204);
    expect((await api.get(`/api/contacts/${id}`)).status).toBe(404);
  });

  it('has an id that is never reused', async () => {
    const [id] = await api.createContacts({ msisdn: number() });
    await api.delete(`/api/contacts/${id}`);
    const [later] = await api.createContacts({ msisdn: number() });
    expect(later).toBeGreaterThan(id!);
  });
});

describe('a missing resource', () => {
  it.each(['0', '-1', '1abc', '01', '1.0', '99999999', '99999999999999999999', '%F0%9F%98%80', '9007199254740993'])(
    'contact %s is 404',
    async (id) => {
      for (const answer of [
        await api.get(`/api/contacts/${id}`),
        await api.patch(`/api/contacts/${id}`, {}),
        await api.delete(`/api/contacts/${id}`),
        await api.get(`/api/contacts/${id}/callouts`),
      ]) {
        expect([answer.status, answer.text]).toEqual([404, '{"status":404,"error":"Not Found"}']);
      }
    },
  );

  it.each([
    ['GET', '/api/nothing'],
    ['POST', '/api/contacts/1'],
    ['OPTIONS', '/api/contacts'],
    ['GET', '/API/contacts'],
  ])('%s %s is 404', async (method, path) => {
    const answer = await api.send(method, path);
    expect([answer.status, answer.text]).toEqual([404, '{"status":404,"error":"Not Found"}']);
  });

  it('a URL that cannot be decoded is 400', async () => {
    const { status, body } = await api.get('/api/contacts/%zz');
    expect([status, body]).toEqual([400, { status: 400, error: 'Bad Request', message: expect.any(String) }]);
  });
});

describe('every response', () => {
  it('has the id of its request, which is the client’s if that is valid', async () => {
    const { headers } = await api.get('/api/contacts', { 'X-Request-Id': 'flood-2026.11:7' });
    expect(headers.get('x-request-id')).toBe('flood-2026.11:7');
    for (const insane of ['a b', 'x'.repeat(500), '<script>']) {
      const answer = await api.get('/api/nothing', { 'X-Request-Id': insane });
      expect(answer.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
    }
  });

  it('has headers with their usual names', async () => {
    const [{ rawHeaders }] = (await once(request(`${api.url}/api/contacts`).end(), 'response')) as [IncomingMessage];
    expect(rawHeaders).toEqual(expect.arrayContaining(['Per-Page', 'Total', 'X-Request-Id', 'Content-Type']));
  });

  it('has security headers for browsers', async () => {
    for (const path of ['/api/contacts', '/api/contacts/0', '/docs', '/docs/swagger-ui.css']) {
      const { headers } = await api.get(path);
      expect([headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([
        'nosniff',
        'SAMEORIGIN',
      ]);
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('max-age=0, private, must-revalidate');
    }
  });

  it('rejects parameters in the URL of a route that has none', async () => {
    const answer = await api.post(`/api/contacts?metadata_merge_mode=replace`, { msisdn: number() });
    expect([answer.status, answer.body]).toEqual([
      422,
      { errors: { metadata_merge_mode: ['is not a permitted parameter'] } },
    ]);
  });
});

describe('lists', () => {
  it('have pages, with the total number of rows and links to other pages', async () => {
    const total = Number((await api.get('/api/contacts')).headers.get('total'));
    const last = Math.ceil(total / 2);
    const { body, headers } = await api.get('/api/contacts?per_page=2&page=2&q[created_at_after]=2000-01-01');
    const all: Body[] = (await api.get('/api/contacts?per_page=1000')).body;
    expect(body).toEqual(all.slice(2, 4));
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted((a, b) => a - b));
    expect([headers.get('per-page'), headers.get('total')]).toEqual(['2', String(total)]);
    const at = (page: number, rel: string) =>
      `<${api.url}/api/contacts?page=${page}&per_page=2&q[created_at_after]=2000-01-01>; rel="${rel}"`;
    expect(headers.get('link')).toBe([at(1, 'first'), at(1, 'prev'), at(last, 'last'), at(3, 'next')].join(', '));
  });

  it('have an empty page after their end, which links back', async () => {
    const { status, body, headers } = await api.get('/api/contacts?page=9007199254740991&per_page=1000');
    expect([status, body]).toEqual([200, []]);
    expect(headers.get('link')).toBe(
      `<${api.url}/api/contacts?page=1&per_page=1000>; rel="first", <${api.url}/api/contacts?page=1&per_page=1000>; rel="prev"`,
    );
  });

  it('have at most a thousand rows on a page', async () => {
    expect((await api.get('/api/contacts?per_page=5000')).headers.get('per-page')).toBe('1000');
  });

  it.each([
    'page=0',
    'page=-1',
    'page=1.5',
    'page=x',
    'page=',
    'page[]=1',
    'per_page=0',
    'per_page=1e3',
    'page=99999999999999999999',
  ])('refuse %s', async (query) => {
    const { status, body } = await api.get(`/api/contacts?${query}`);
    expect([status, body.message]).toEqual([400, expect.stringMatching(/^(per_)?page must be a positive integer$/)]);
  });

  it('reject unknown parameters', async () => {
    const { status, body } = await api.get('/api/contacts?metadata[gender]=f');
    expect([status, body]).toEqual([422, { errors: { metadata: ['is not a permitted parameter'] } }]);
  });
});

describe('input that must not be dropped silently', () => {
  it.each(['toString', 'hasOwnProperty', 'valueOf', 'constructor'])(
    'a parameter called %s is refused',
    async (name) => {
      const [id] = await api.createContacts({ msisdn: '+85510303101' });
      const answer = await api.patch(`/api/contacts/${id}`, { [name]: 'x', metadata: 1 });
      expect([answer.status, answer.body]).toEqual([
        422,
        { errors: { metadata: ['must be an object'], [name]: ['is not a permitted parameter'] } },
      ]);
      await api.delete(`/api/contacts/${id}`);
    },
  );

  it('multipart counts as a whole against the limit of a body', async () => {
    const oneField = new FormData();
    oneField.set('metadata[z]', 'x'.repeat(1_200_000));
    const manyFields = new FormData();
    for (const n of [1, 2, 3]) manyFields.set(`metadata[${n}]`, 'x'.repeat(500_000));
    for (const form of [oneField, manyFields]) {
      expect((await api.post('/api/contacts', form)).status).toBe(413);
    }
  });

  it.each(['q[metadata][]', 'q[metadata][]=x', 'q[metadata][list][]=1'])('a filter %s names no key', async (filter) => {
    expect((await api.get(`/api/contacts?${filter}`)).status).toBe(400);
  });

  it('a filter with more conditions than the databases accept is rejected', async () => {
    const many = Array.from({ length: 300 }, (_, n) => `q[metadata][k${n}]=1`).join('&');
    expect((await api.get(`/api/contacts?${many}`)).status).toBe(400);
  });

  it('an id that is too long matches no record', async () => {
    expect((await api.get(`/api/contacts/${'1'.repeat(300)}`)).status).toBe(404);
  });
});
