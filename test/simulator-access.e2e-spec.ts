import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, type Body } from './support/api.js';
import { basicAuth } from './support/basic-auth.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { Program } from './support/program.js';
import { PROVIDER_SID } from './support/provider-environment.js';
import { StubServer } from './support/stub-server.js';
import { readSimulatorToken } from './support/signed-webhooks.js';

const calls = `/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls`;
const operator = basicAuth('operator', 'pass:word');
const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'pass:word' };

let installation: Installation;
beforeAll(async () => {
  installation = await Installation.create();
});
afterAll(() => installation.remove());

/** Requests a path unchanged: fetch would normalize it. */
async function statusOf(api: Api, path: string): Promise<number> {
  const { hostname, port } = new URL(api.url);
  const sent = request({ hostname, port, path }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

describe('the simulator of an API with a password', () => {
  let api: Api;
  let account: { Authorization: string };

  beforeAll(async () => {
    api = (await installation.start({ ...credentials, TRUST_PROXY: 'loopback' })).api;
    account = basicAuth(PROVIDER_SID, await readSimulatorToken(installation));
  });

  const controls: [string, string, object?][] = [
    ['POST', '/simulator/inbound_calls', { from: '+85510202101', to: '2442' }],
    ['POST', '/simulator/foreign_calls', { from: '2442', to: '+85510202101' }],
    ['PUT', '/simulator/people/+85510202101', {}],
    ['PUT', '/simulator/faults', {}],
    ['DELETE', '/simulator/faults'],
    ['GET', '/simulator/statistics'],
    ['GET', '/simulator/calls/CA1/transcript'],
  ];

  it.each(controls)('requires the password at %s %s', async (method, path, body) => {
    // Each control has a client address of its own, since ten wrong credentials from one address are too many.
    const from = { 'X-Forwarded-For': `198.51.100.${controls.findIndex(([, other]) => other === path) + 1}` };
    for (const headers of [{}, account, basicAuth('operator', 'wrong'), basicAuth(PROVIDER_SID, 'simulator')]) {
      expect((await api.send(method, path, body, { ...headers, ...from })).status).toBe(401);
    }
    expect((await api.send(method, path, body, operator)).status).toBeOneOf([200, 201, 204, 404]);
  });

  it.each([
    ['GET', `${calls}.json`, '203.0.113.1'],
    ['POST', `${calls}.json`, '203.0.113.2'],
    ['GET', `${calls}/CA1.json`, '203.0.113.3'],
    ['POST', `${calls}/CA1.json`, '203.0.113.4'],
    ['GET', '/simulator/2010-04-01/Accounts.json', '203.0.113.5'],
  ])("asks for the simulator's account at %s %s", async (method, path, ip) => {
    // An address of its own: ten wrong credentials of one are too many.
    const from = { 'X-Forwarded-For': ip };
    const token = account.Authorization;
    for (const headers of [
      {},
      operator,
      basicAuth(PROVIDER_SID, 'simulator'),
      basicAuth(PROVIDER_SID, ''),
      basicAuth('', await readSimulatorToken(installation)),
      { Authorization: token.slice(0, -4) },
      { Authorization: token.replace('Basic', 'Bearer') },
      { Authorization: `${token} x` },
    ]) {
      const answer = await api.send(method, path, undefined, { ...headers, ...from } as Record<string, string>);
      expect([answer.status, answer.body.code]).toEqual([401, 20003]);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
    expect((await api.send(method, path, undefined, account)).status).not.toBe(401);
  });

  it("refuses an address after ten wrong guesses at the simulator's account, and logs it", async () => {
    const program = await installation.start({ ...credentials, TRUST_PROXY: 'loopback' });
    const { api } = program;
    const from = (ip: string) => ({ 'X-Forwarded-For': ip });
    const ask = (headers: Record<string, string>) => api.get(`${calls}.json`, headers);
    for (let count = 0; count < 30; count++) expect((await ask(from('192.0.2.7'))).status).toBe(401);
    for (let count = 0; count < 10; count++) {
      const wrong = basicAuth(PROVIDER_SID, `guess-${count}`);
      expect((await ask({ ...wrong, ...from('192.0.2.7') })).status).toBe(401);
    }
    for (const headers of [account, basicAuth(PROVIDER_SID, 'guess-11')]) {
      const answer = await ask({ ...headers, ...from('192.0.2.7') });
      expect([answer.status, answer.body]).toEqual([
        429,
        {
          status: 429,
          code: 20429,
          message: 'there were too many wrong credentials from this address',
          more_info: expect.any(String),
        },
      ]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await ask({ ...account, ...from('192.0.2.8') })).status).toBe(200);
    // The guesses are counted apart from those at the API's password.
    expect((await api.get('/api/contacts', { ...operator, ...from('192.0.2.7') })).status).toBe(200);
    await program.stop();
    const said = program.output.split('\n').filter((line) => line.includes('wrong credentials within'));
    expect(said.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ level: 40, ip: '192.0.2.7' })]);
    expect(program.output).not.toMatch(/guess-/);
  });

  it('knows no other account', async () => {
    for (const other of [`AC${'1'.repeat(32)}`, 'x', '__proto__', PROVIDER_SID.toLowerCase()]) {
      const path = `/simulator/2010-04-01/Accounts/${other}/Calls.json`;
      const { status, body } = await api.get(path, account);
      expect([status, body.code]).toEqual([404, 20404]);
    }
    expect((await api.get(`${calls}.json`, account)).body.calls).toBeInstanceOf(Array);
  });

  it.each([
    '/simulator/2010-04-01/../statistics',
    '/simulator/2010-04-01/%2e%2e/statistics',
    '/simulator/2010-04-01/..%2fstatistics',
    '/simulator//2010-04-01/statistics',
    '/%73imulator/statistics',
    '/simulator/%73tatistics',
    '/simulator/statistics?/simulator/2010-04-01/',
    '//simulator/2010-04-01/../statistics',
    '/simulator/2010-04-01/statistics',
  ])('cannot be bypassed with %s', async (path) => {
    expect(await statusOf(api, path)).toBeOneOf([401, 404]);
  });
});

describe('the URLs that the simulator fetches', () => {
  const SECRET = 'the secret of another server';
  const twiml = (verbs: string) => ({ body: `<Response>${verbs}</Response>`, headers: { 'Content-Type': 'text/xml' } });
  let program: Program;
  let api: Api;
  let account: { Authorization: string };
  /** In SIMULATOR_ALLOWED_ORIGINS. */
  let friend: StubServer;
  /** Another server that the program can reach. */
  let stranger: StubServer;

  beforeAll(async () => {
    stranger = await StubServer.start({ '/': twiml(`<Say>${SECRET}</Say>`) });
    friend = await StubServer.start({
      '/hello': twiml('<Say>Hello</Say>'),
      '/away': { status: 302, headers: { Location: `${stranger.url}/` } },
      '/redirect': twiml(`<Redirect>${stranger.url}/</Redirect>`),
      '/relative': twiml(`<Redirect>//127.0.0.1:${stranger.port}/</Redirect>`),
      '/data': twiml('<Redirect>data:text/xml,&lt;Response&gt;&lt;Say&gt;Data&lt;/Say&gt;&lt;/Response&gt;</Redirect>'),
      '/file': twiml('<Redirect>file:///etc/hostname</Redirect>'),
      '/gather': twiml(`<Gather numDigits="1" action="${stranger.url}/"><Say>Press 1</Say></Gather>`),
    });
    program = await installation.start({ SIMULATOR_SPEED: '500', SIMULATOR_ALLOWED_ORIGINS: friend.url });
    api = program.api;
    account = basicAuth(PROVIDER_SID, await readSimulatorToken(installation));
  });
  afterAll(async () => {
    await friend.stop();
    await stranger.stop();
  });

  const callIn = async (url: string): Promise<Body> => {
    const asked = { from: '+85510202101', to: '2442', keys: ['1'], url, wait: true };
    const { status, body } = await api.post('/simulator/inbound_calls', asked);
    expect(status).toBe(201);
    return body;
  };
  const expectNoRequest = (text: string): void => {
    expect(text).not.toContain(SECRET);
    expect(stranger.requestedPaths).toEqual([]);
  };

  it('are those of this program and of the allowed origins', async () => {
    expect((await callIn(`${friend.url}/hello`)).transcript).toEqual([
      { fetched: `${friend.url}/hello` },
      { said: 'Hello' },
    ]);
    const ours = await callIn(`${api.url}/api/remote_phone_call_events`);
    expect(ours.transcript.filter(({ error }: Body) => error)).toEqual([]);
  });

  it.each([
    ['another port', () => `${stranger.url}/`],
    ['another name of this machine', () => `${api.url.replace('127.0.0.1', 'localhost')}/`],
    ['another scheme', () => `${api.url.replace('http:', 'https:')}/`],
    ['another address', () => `http://127.0.0.2:${stranger.port}/`],
    ['a password in the URL', () => `${friend.url.replace('//', '//user:password@')}/hello`],
    ['a URL that looks like ours', () => `${api.url}@127.0.0.1:${stranger.port}/`],
    ['a redirect to another server', () => `${friend.url}/redirect`],
    ['a relative redirect to another server', () => `${friend.url}/relative`],
    ['a redirect to data', () => `${friend.url}/data`],
    ['a redirect to a file', () => `${friend.url}/file`],
    ['a question whose action is at another server', () => `${friend.url}/gather`],
  ])('do not include %s: the transcript and the log have an error', async (_, url) => {
    const { transcript } = await callIn(url());
    expect(transcript.at(-1)).toEqual({ error: expect.stringMatching(/^11200 .* not fetched/) });
    expectNoRequest(JSON.stringify(transcript));
    await eventually(() => program.output.includes(transcript.at(-1).error));
  });

  it('do not include the target of an HTTP redirect', async () => {
    const { transcript } = await callIn(`${friend.url}/away`);
    expect(transcript.at(-1)).toEqual({ error: `11200 HTTP 302 at ${friend.url}/away` });
    expectNoRequest(JSON.stringify(transcript));
  });

  it.each([
    ['Url', {}],
    ['StatusCallback', { Twiml: '<Response/>' }],
    ['AsyncAmdStatusCallback', { Twiml: '<Response/>', MachineDetection: 'Enable', AsyncAmd: 'true' }],
  ])('do not include a %s at another server', async (name, more) => {
    const form = new URLSearchParams({ To: '+85510209900', From: '2442', [name]: `${stranger.url}/`, ...more });
    const { status, body: call } = await api.send('POST', `${calls}.json`, form.toString(), account);
    expect(status).toBe(201);
    const { body: transcript } = await eventually(async () => {
      const answer = await api.get(`/simulator/calls/${call.sid}/transcript`);
      return answer.body.some(({ error }: Body) => error) && answer;
    });
    expect(transcript).toContainEqual({ error: expect.stringContaining(`11200 ${stranger.url} is not fetched`) });
    expectNoRequest(JSON.stringify(transcript));
  });
});

describe('a simulator that other machines can reach', () => {
  it('is rejected at the start unless ALLOW_PUBLIC_SIMULATOR is set', async () => {
    const reachable = { ...installation.environment, ...credentials, HOST: '0.0.0.0', PORT: '0' };
    const program = Program.launch(reachable);
    expect(await program.waitForExit()).toBe(1);
    expect(program.output.trim().split('\n')).toEqual([
      expect.stringMatching(/^HOST .*ALLOW_PUBLIC_SIMULATOR=true.*\.$/),
    ]);
    const allowed = await installation.start({ ...reachable, ALLOW_PUBLIC_SIMULATOR: 'true' });
    expect((await allowed.api.get('/simulator/statistics')).status).toBe(401);
  });
});
