import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basicAuth } from './support/basic-auth.js';
import { Installation } from './support/installation.js';
import { Program } from './support/program.js';

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create();
});
afterAll(() => installation.remove());

describe('basic auth', () => {
  const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'pass:word' };
  let program: Program;

  beforeAll(async () => {
    program = await installation.start(credentials);
  });

  it.each(['/api/contacts', '/api/nothing', '/docs', '/docs-json', '/'])('guards %s', async (path) => {
    // Each path gets its own program, because wrong credentials are counted.
    const program = await installation.start(credentials);
    for (const headers of [
      {},
      basicAuth('operator', 'wrong'),
      basicAuth('other', 'pass:word'),
      basicAuth('operator', ''),
      { Authorization: 'Bearer x' },
      { Authorization: 'Basic !' },
    ]) {
      const { status, body, headers: responseHeaders } = await program.api.get(path, headers as Record<string, string>);
      expect([status, body]).toEqual([401, { status: 401, error: 'Unauthorized' }]);
      expect(responseHeaders.get('www-authenticate')).toMatch(/^Basic realm="scfm"/);
      expect(responseHeaders.get('x-request-id')).toBeTruthy();
    }
  });

  it('lets the right user in', async () => {
    const { status } = await program.api.get('/api/contacts', basicAuth('operator', 'pass:word'));
    expect(status).toBe(200);
  });

  it.each(['/health/live', '/health/ready'])('leaves %s open', async (path) => {
    expect((await program.api.get(path)).status).toBe(200);
  });
});

describe('wrong credentials', () => {
  const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'pass:word' };
  const right = basicAuth('operator', 'pass:word');
  const wrong = basicAuth('operator', 'sesame-open');

  it('lock out an address after ten in a minute, also with correct ones', async () => {
    const program = await installation.start(credentials);
    const { api } = program;
    const statuses = async (headers: Record<string, string>, times: number) => {
      const answers = await Promise.all(Array.from({ length: times }, () => api.get('/api/contacts', headers)));
      return answers.map(({ status }) => status);
    };
    // A request without credentials is not a guess.
    expect(await statuses({}, 30)).toEqual(Array(30).fill(401));
    expect(await statuses(right, 30)).toEqual(Array(30).fill(200));
    for (let count = 0; count < 10; count++) expect(await statuses(wrong, 1)).toEqual([401]);
    for (const headers of [wrong, right, { Authorization: 'Bearer x' }]) {
      const { status, body, headers: responseHeaders } = await api.get('/api/contacts', headers);
      expect([status, body]).toEqual([
        429,
        {
          status: 429,
          error: 'Too Many Requests',
          message: 'there were too many wrong credentials from this address',
        },
      ]);
      expect(Number(responseHeaders.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(responseHeaders.get('retry-after'))).toBeLessThanOrEqual(60);
    }
    expect(await statuses({}, 1)).toEqual([401]);
    expect((await api.get('/health/ready')).status).toBe(200);
    const webhook = await api.send('POST', '/api/remote_phone_call_events', 'CallSid=CA1', wrong);
    expect(webhook.status).toBe(403);
    await program.stop();
    const warnings = program.output.split('\n').filter((line) => line.includes('wrong credentials within'));
    expect(warnings.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ level: 40, ip: '127.0.0.1' })]);
    expect(program.output).not.toMatch(/sesame|pass:word|Basic /);
  });

  it('count for the client that a trusted proxy names, or for the proxy if it names no valid client', async () => {
    const { api } = await installation.start({ ...credentials, TRUST_PROXY: 'loopback' });
    const status = async (forwarded: string, headers: Record<string, string>) =>
      (await api.get('/api/contacts', { 'X-Forwarded-For': forwarded, ...headers })).status;
    for (let count = 0; count < 10; count++) expect(await status(`2001:db8:1:2::${count}`, wrong)).toBe(401);
    expect(await status('2001:db8:1:2:ffff::1', right)).toBe(429);
    expect(await status('2001:db8:1:3::1', right)).toBe(200);
    for (let count = 0; count < 10; count++) expect(await status(`nonsense-${count}`, wrong)).toBe(401);
    expect(await status('more nonsense', right)).toBe(429);
    expect(await status('198.51.100.7', right)).toBe(200);
  });

  it('count for the peer, whatever it claims, if no proxy is trusted', async () => {
    const { api } = await installation.start(credentials);
    for (let count = 0; count < 10; count++)
      await api.get('/api/contacts', { 'X-Forwarded-For': `198.51.100.${count}`, ...wrong });
    expect((await api.get('/api/contacts', { 'X-Forwarded-For': '198.51.100.99', ...right })).status).toBe(429);
  });
});

describe('the log', () => {
  it('has one line for each request, with its id and without phone numbers and names', async () => {
    const program = await installation.start();
    const id = 'one-request-of-many';
    const json = { msisdn: '+85510202177', metadata: { name: 'Srey Mom' } };
    await program.api.send('POST', '/api/contacts', json, { 'X-Request-Id': id });
    await program.api.post('/api/contacts', json);
    await program.api.get('/api/contacts?q[msisdn]=%2B85510202177&q[metadata][name]=Srey+Mom');
    await program.api.get('/api/contacts/+85510202177');
    await program.api.post('/api/contacts', { msisdn: '+85510202177x' });
    await program.stop();
    const lines = program.output.split('\n').filter((line) => line.includes(id));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        reqId: id,
        method: 'POST',
        route: '/api/contacts',
        status: 201,
        ms: expect.any(Number),
      }),
    ]);
    expect(program.output).not.toMatch(/10202177|Srey|Mom/);
  });
});

describe('an invalid setting', () => {
  it.each([
    [{ PORT: 'x' }, 'PORT'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ HOST: '0.0.0.0' }, 'HOST'],
  ])('%j ends the program at once with one sentence', async (environment, name) => {
    const program = Program.launch({ ...installation.environment, ...environment });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output.trim().split('\n')).toEqual([expect.stringMatching(new RegExp(`^${name} .*\\.$`))]);
  });

  it('includes an address that is in use', async () => {
    const { url } = await installation.start();
    const second = Program.launch({ ...installation.environment, PORT: new URL(url).port });
    expect(await second.waitForExit()).toBe(1);
    expect(second.output).toMatch(/^HOST and PORT must be an address that is free/m);
  });
});

describe('the document of an API with a password', () => {
  it('describes the responses to wrong credentials of each guarded route', async () => {
    const { api } = await installation.start({
      HTTP_BASIC_AUTH_USER: 'operator',
      HTTP_BASIC_AUTH_PASSWORD: 'pass:word',
    });
    const { body } = await api.get('/docs-json', basicAuth('operator', 'pass:word'));
    const statuses = (path: string, method: string) => Object.keys(body.paths[path][method].responses);
    expect(statuses('/api/contacts', 'get')).toEqual(expect.arrayContaining(['200', '401', '429']));
    expect(statuses('/api/remote_phone_call_events', 'get')).toContain('401');
    expect(statuses('/api/remote_phone_call_events', 'post')).not.toContain('401');
    expect(statuses('/health/live', 'get')).not.toContain('401');
    const webhook = body.paths['/api/remote_phone_call_events'].post.requestBody.content;
    expect(Object.keys(webhook).sort()).toEqual(['application/json', 'application/x-www-form-urlencoded']);
    expect(body.components.schemas.BatchOperation.required).toContain('progress');
    const { status, body: failure } = await api.get('/api/contacts');
    expect([status, failure]).toEqual([401, { status: 401, error: 'Unauthorized' }]);
  });
});

describe('every route of the document', () => {
  it('needs credentials unless it is public', async () => {
    const { api } = await installation.start({
      HTTP_BASIC_AUTH_USER: 'operator',
      HTTP_BASIC_AUTH_PASSWORD: 'pass:word',
    });
    const { body } = await api.get('/docs-json', basicAuth('operator', 'pass:word'));
    const routes = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    );
    const open: string[] = [];
    for (const [method, path] of routes) {
      const { status } = await api.send(method, path.replace('{id}', '1'));
      if (status !== 401) open.push(`${method} ${path}`);
    }
    expect(routes.length).toBeGreaterThan(50);
    expect(open.toSorted()).toEqual(['GET /health/live', 'GET /health/ready', 'POST /api/remote_phone_call_events']);
    const documented = routes.filter(([method, path]) => body.paths[path][method.toLowerCase()].security?.length === 0);
    expect(documented.map((route) => route.join(' ')).toSorted()).toEqual(open.toSorted());
  });
});

describe('links in a response', () => {
  const link = async (trust: string, headers: Record<string, string>) => {
    const { api } = await installation.start({ TRUST_PROXY: trust });
    await api.createContacts({ msisdn: '+85510207101' }, { msisdn: '+85510207102' });
    const answer = await api.get('/api/contacts?per_page=1', headers);
    return [api.url, /^<([^>]*)\/api\/contacts\?/.exec(answer.headers.get('link')!)?.[1]];
  };

  it.each([
    [{ 'X-Forwarded-Proto': 'https,http', 'X-Forwarded-Host': 'scfm.example, inner.local' }, 'https://scfm.example'],
    [{ 'X-Forwarded-Proto': 'HTTPS', 'X-Forwarded-Host': 'scfm.example:8443' }, 'https://scfm.example:8443'],
    [{ 'X-Forwarded-Host': 'scfm.example', 'X-Forwarded-Prefix': '/flows/, /inner' }, 'http://scfm.example/flows'],
    [{ 'X-Forwarded-Host': '[2001:db8::1]:80' }, 'http://[2001:db8::1]:80'],
    [{ 'X-Forwarded-Proto': 'javascript', 'X-Forwarded-Host': 'evil.example/x>; rel="next' }, undefined],
    [{ 'X-Forwarded-Prefix': '//evil.example' }, undefined],
    [{ 'X-Forwarded-Prefix': '/' }, undefined],
  ])('have the base URL that the client used: %j', async (headers, expected) => {
    const [own, found] = await link('loopback', headers as Record<string, string>);
    expect(found).toBe(expected ?? own);
  });

  it('ignore forwarded headers of an untrusted peer', async () => {
    const headers = { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Prefix': '/x' };
    const [own, found] = await link('192.0.2.1', headers);
    expect(found).toBe(own);
  });
});
