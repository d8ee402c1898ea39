import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiResponse, Api } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

const MAX_REQUESTS = 8;
const MAX_WEBHOOKS = 40;

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
});
afterAll(() => installation.remove());

const newContact = () => ({ msisdn: `+8551066${String(++numbers).padStart(4, '0')}` });
const times = <T>(count: number, make: () => Promise<T>): Promise<T>[] => Array.from({ length: count }, make);
const statuses = async (answers: Promise<ApiResponse>[]) => (await Promise.all(answers)).map(({ status }) => status);
const acceptsRequests = (api: Api) => eventually(async () => (await api.get('/api/contacts')).status === 200);

/**
 * Sends one request more than the limit while none is completed, so the first response is the rejection.
 * @returns the rejection, and the other requests, which are still open
 */
async function fill<T>(limit: number, send: () => Promise<T>): Promise<{ refused: T; held: Promise<T>[] }> {
  const all = times(limit + 1, send);
  const first = await Promise.race(all.map(async (one, index) => ({ refused: await one, index })));
  return { refused: first.refused, held: all.filter((_, index) => index !== first.index) };
}

function expectUnavailable({ status, body, headers }: ApiResponse, message: string): void {
  expect([status, body]).toEqual([503, { status: 503, error: 'Service Unavailable', message }]);
  expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(headers.get('x-request-id')).toBeTruthy();
}

/** Sends a text unchanged over a new connection. */
async function sendRaw(api: Api, content: string): Promise<Socket> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(content);
  return socket;
}

/** @returns the beginning of the response; an empty text when the connection closes without one */
async function head(socket: Socket): Promise<string> {
  const [data] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown];
  return data instanceof Buffer ? data.toString() : '';
}

const unfinished =
  'POST /api/contacts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"m';

describe('requests beyond the limit', () => {
  let api: Api;
  const environment = {
    MAX_CONCURRENT_REQUESTS: String(MAX_REQUESTS),
    MAX_CONCURRENT_WEBHOOKS: String(MAX_WEBHOOKS),
    SCFM_ROLE: 'web',
  };

  beforeAll(async () => {
    api = (await installation.start(environment)).api;
    // The first webhook reads the database to check its signature. Later, the tests lock the database.
    await signedWebhook(api, { CallSid: 'CA0', Direction: 'inbound', From: newContact().msisdn });
  });

  it('are refused while others are in progress, and accepted right after', async () => {
    const release = await installation.blockWrites();
    const { refused, held } = await fill(MAX_REQUESTS, () => api.post('/api/contacts', newContact()));
    expectUnavailable(refused, 'there are too many requests at once');
    for (const answer of await Promise.all(times(100, () => api.post('/api/contacts', newContact())))) {
      expectUnavailable(answer, 'there are too many requests at once');
    }
    expect((await api.get('/health/live')).status).toBe(200);
    const sending = await sendRaw(api, unfinished);
    expect(await head(sending)).toMatch(/^HTTP\/1.1 503 /);
    sending.destroy();
    await release();
    expect(await statuses(held)).toEqual(Array(MAX_REQUESTS).fill(201));
    expect(await statuses(times(MAX_REQUESTS, () => api.post('/api/contacts', newContact())))).toEqual(
      Array(MAX_REQUESTS).fill(201),
    );
  });

  it('do not block webhooks, which have a separate limit', async () => {
    const release = await installation.blockWrites();
    const { held } = await fill(MAX_REQUESTS, () => api.post('/api/contacts', newContact()));
    let sid = 0;
    const webhook = () => {
      const call = { CallSid: `CA${++sid}`, Direction: 'inbound', From: newContact().msisdn, CallStatus: 'ringing' };
      return signedWebhook(api, call);
    };
    const webhooks = await fill(MAX_WEBHOOKS, webhook);
    expectUnavailable(webhooks.refused, 'there are too many requests at once');
    await release();
    expect(new Set(await statuses([...webhooks.held, ...held]))).toEqual(new Set([201]));
  });

  it('include requests in progress whose client has disconnected', async () => {
    const release = await installation.blockWrites();
    const controller = new AbortController();
    const post = async () => {
      const request = { method: 'POST', body: new URLSearchParams(newContact()), signal: controller.signal };
      return (await fetch(`${api.url}/api/contacts`, request).catch(() => undefined))?.status;
    };
    const { refused, held } = await fill(MAX_REQUESTS, post);
    expect(refused).toBe(503);
    controller.abort();
    expect(await Promise.all(held)).toEqual(Array(MAX_REQUESTS).fill(undefined));
    for (let n = 0; n < 20; n++) expect((await api.get('/api/contacts')).status).toBe(503);
    await release();
    await acceptsRequests(api);
  });

  it('do not include requests whose client disconnected while it sent the body', async () => {
    const sockets: Socket[] = [];
    const send = async () => {
      const socket = await sendRaw(api, unfinished);
      sockets.push(socket);
      return head(socket);
    };
    expect((await fill(MAX_REQUESTS, send)).refused).toMatch(/^HTTP\/1.1 503 /);
    for (const socket of sockets) socket.destroy();
    await acceptsRequests(api);
    expect(await statuses(times(MAX_REQUESTS, () => api.post('/api/contacts', newContact())))).toEqual(
      Array(MAX_REQUESTS).fill(201),
    );
  });
});

describe('a slow or faulty client', () => {
  let api: Api;

  beforeAll(async () => {
    api = (await installation.start({ REQUEST_TIMEOUT: '1' })).api;
  });

  it.each([
    ['the rest of the head', 'GET /api/contacts HTTP/1.1\r\nHost: x\r\n'],
    ['the rest of the body', unfinished],
    ['anything', ''],
  ])('is disconnected when it does not send %s', async (_, content) => {
    const socket = await sendRaw(api, content);
    const answer = await text(socket);
    const [start, body] = answer.split('\r\n\r\n') as [string, string];
    expect(start).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n.*X-Request-Id: [\da-f-]{36}\r\n/s);
    expect(JSON.parse(body)).toEqual({
      status: 408,
      error: 'Request Timeout',
      message: 'the request took too long to arrive',
    });
    await acceptsRequests(api);
  });

  it('gets 400 and is disconnected when Host is missing', async () => {
    const answer = await text(await sendRaw(api, 'GET /api/contacts HTTP/1.1\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\nConnection: close\r\n/);
  });

  it('gets 400 when it does not send HTTP', async () => {
    const answer = await text(await sendRaw(api, 'nonsense\r\n\r\n'));
    expect(answer).toContain('{"status":400,"error":"Bad Request","message":"this is not HTTP"}');
  });

  it('gets 413 for a webhook that is larger than those of providers', async () => {
    const { status } = await signedWebhook(api, { CallSid: 'CA1', Long: 'x'.repeat(70_000) });
    expect(status).toBe(413);
  });
});

describe.runIf(way === 'cluster')('PostgreSQL', () => {
  const busy = 'the database cannot be used now';

  it('can have no free connection for writes: a request that waits too long gets 503 with Retry-After', async () => {
    const { api } = await installation.start({ DATABASE_POOL: '4', DATABASE_WAIT: '1', SCFM_ROLE: 'web' });
    const release = await installation.blockWrites();
    const rejected: ApiResponse[] = [];
    const all = times(6, async () => {
      const answer = await api.post('/api/contacts', newContact());
      if (answer.status !== 201) rejected.push(answer);
      return answer;
    });
    await eventually(() => rejected.length === 4);
    for (const answer of rejected) expectUnavailable(answer, busy);
    await release();
    expect((await statuses(all)).filter((status) => status === 201)).toHaveLength(2);
    await acceptsRequests(api);
  });

  it('can be unavailable: requests that need it get 503 until it is back', async () => {
    const { hostname, port } = new URL(installation.environment.DATABASE_URL!);
    const gate = await TcpProxy.startFor(Number(port), hostname);
    const through = new URL(installation.environment.DATABASE_URL!);
    through.host = `127.0.0.1:${gate.port}`;
    const program = await installation.start({ DATABASE_URL: through.href });
    const { api } = program;
    const [id] = await api.createContacts(newContact());
    try {
      for (let time = 0; time < 2; time++) {
        await gate.close();
        const requests = [
          () => api.get('/api/contacts'),
          () => api.get(`/api/contacts/${id}`),
          () => api.post('/api/contacts', newContact()),
          () => api.patch(`/api/contacts/${id}`, { metadata: { a: 1 } }),
          () =>
            signedWebhook(api, {
              CallSid: 'CA1',
              CallStatus: 'ringing',
              Direction: 'inbound',
              From: newContact().msisdn,
            }),
        ];
        for (const request of requests) expectUnavailable(await request(), busy);
        const ready = await api.get('/health/ready');
        expect([ready.status, ready.body.error.database.status]).toEqual([503, 'down']);
        expect(ready.body.details.telephony).toEqual({ status: 'up', dialling: 'unknown' });
        expect((await api.get('/health/live')).status).toBe(200);
        await gate.open();
        await eventually(async () => (await api.get('/health/ready')).status === 200);
        const again = await Promise.all(requests.map((request) => request()));
        expect(again.map(({ status }) => status)).toEqual([200, 200, 201, 204, 201]);
      }
      expect(program.output).toMatch(/"code":"ECONNREFUSED"/);
      // The connection can also break within a transaction.
      const release = await installation.blockWrites();
      const interrupted = api.post('/api/contacts', newContact());
      await eventually(async () => {
        const [{ waiting }] = (await installation.query<{ waiting: string }>(
          `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )) as [{ waiting: string }];
        return Number(waiting) > 0;
      });
      await gate.close();
      expectUnavailable(await interrupted, busy);
      await release();
    } finally {
      await gate.close();
    }
  });
});
