import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiResponse, Api } from './support/api.js';
import { Installation } from './support/installation.js';

let installation: Installation;
let api: Api;
/** Every route with an id in its path. */
let routes: [method: string, path: string][];

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
  const { paths } = (await api.get('/docs-json')).body;
  routes = Object.entries<object>(paths)
    .filter(([path]) => path.includes('{id}'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method): [string, string] => [method.toUpperCase(), path]));
});
afterAll(() => installation.remove());

const notFound = (answer: ApiResponse) =>
  expect([answer.status, answer.text]).toEqual([404, '{"status":404,"error":"Not Found"}']);

describe('the order of checks', () => {
  it('checks an unknown id before an invalid body or query, on every route', async () => {
    expect(routes.length).toBeGreaterThan(30);
    const invalid = { nonsense: 1, event: 'explode', msisdn: 'x', metadata: 1, type: 'x', remote_request_params: 1 };
    for (const [method, path] of routes) {
      const at = path.replace('{id}', '99999');
      const body = ['POST', 'PATCH', 'PUT'].includes(method) ? invalid : undefined;
      notFound(await api.send(method, at, body));
      notFound(await api.send(method, `${at}?nonsense=1`, body));
    }
  });

  it('checks a malformed body or query before an unknown id', async () => {
    for (const [method, path] of routes) {
      const at = path.replace('{id}', '99999');
      const headers = { 'Content-Type': 'application/json' };
      if (['POST', 'PATCH', 'PUT'].includes(method)) {
        expect((await api.send(method, at, '{', headers)).status).toBe(400);
      } else {
        expect((await api.send(method, `${at}?q[x=1`)).status).toBe(400);
      }
      // Reports have no filters: `q` is a parameter that they do not permit.
      const isList = method === 'GET' && !/\/(\{id\}|coverage|coverage\.csv|timeline|forecast|recall)$/.test(path);
      if (isList) expect((await api.send(method, `${at}?q[nonsense]=1`)).status).toBe(400);
    }
  });

  it('checks an unknown route before the body', async () => {
    for (const path of ['/api/nothing', '/api/contacts/1/nothing', '/nothing']) {
      for (const [type, body] of [
        ['application/json', '{'],
        ['application/xml', '<a/>'],
        ['application/x-www-form-urlencoded', `a=${'x'.repeat(1_200_000)}`],
      ] as const) {
        notFound(await api.send('POST', path, body, { 'Content-Type': type }));
      }
    }
  });

  it('checks missing credentials first', async () => {
    const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'password' };
    const guarded = (await installation.start(credentials)).api;
    for (const path of ['/api/nothing', '/api/contacts', '/api/contacts/99999']) {
      expect((await guarded.send('POST', path, '{', { 'Content-Type': 'application/json' })).status).toBe(401);
    }
  });

  it('returns all errors in a body, wherever they are found', async () => {
    const callout = await api.createCallout();
    const notPermitted = ['is not a permitted parameter'];
    const answer = await api.post(`/api/callouts/${callout}/callout_events`, { event: 'resume', nonsense: 1 });
    expect([answer.status, answer.body]).toEqual([
      422,
      { errors: { event: ['is not included in the list'], nonsense: notPermitted } },
    ]);
  });
});
