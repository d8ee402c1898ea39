import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ApiResponse, Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { PROVIDER_SID, providerAuthorization, providerEnvironment } from './support/provider-environment.js';

/** Simulated seconds; longer than any test: four minutes at the speed below. */
const LONG = 24_000;

const calls = `/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls`;
let installation: Installation;
let api: Api;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ ...providerEnvironment, SIMULATOR_SPEED: '100' })).api;
});
afterAll(() => installation.remove());
beforeEach(() => api.delete('/simulator/faults'));

/** Returns a number that was not used before, whose last digits force what happens. */
const number = (digits = '9900') => `+85570${String(++numbers).padStart(3, '0')}${digits}`;

const create = (form: Record<string, string> = {}): Promise<ApiResponse> => {
  const given = { To: number(), From: '2442', Twiml: '<Response/>', ...form };
  return api.send('POST', `${calls}.json`, new URLSearchParams(given).toString(), providerAuthorization);
};
const fetchCall = async (sid: string): Promise<Body> =>
  (await api.get(`${calls}/${sid}.json`, providerAuthorization)).body;
const list = (query: Record<string, string>): Promise<ApiResponse> =>
  api.get(`${calls}.json?${new URLSearchParams(query).toString()}`, providerAuthorization);
const sids = async (query: Record<string, string>): Promise<string[]> =>
  (await list(query)).body.calls.map(({ sid }: Body) => sid);
const until = (sid: string, status: string): Promise<Body> =>
  eventually(async () => {
    const call = await fetchCall(sid);
    return call.status === status && call;
  });
const end = (sid: string, status: string): Promise<ApiResponse> =>
  api.send('POST', `${calls}/${sid}.json`, `Status=${status}`, providerAuthorization);
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the list of calls', () => {
  it('is filtered by when calls started and ended, not by when they were created', async () => {
    const To = number();
    const { body: done } = await create({ To });
    await until(done.sid, 'completed');
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const { body: queued } = await create({ To });
    expect(queued).toMatchObject({ status: 'queued', start_time: null, end_time: null, queue_time: `${LONG}000` });
    expect(await sids({ To })).toEqual([queued.sid, done.sid]);
    const started = Date.parse((await fetchCall(done.sid)).start_time);
    const at = (time: number): string => new Date(time).toISOString();
    for (const name of ['StartTime', 'EndTime']) {
      expect(await sids({ To, [name]: dayOf(started) })).toEqual([done.sid]);
      expect(await sids({ To, [name]: dayOf(started - DAY) })).toEqual([]);
      expect(await sids({ To, [`${name}>`]: dayOf(started) })).toEqual([done.sid]);
      expect(await sids({ To, [`${name}>`]: at(started - HOUR) })).toEqual([done.sid]);
      expect(await sids({ To, [`${name}>`]: at(started + HOUR) })).toEqual([]);
      expect(await sids({ To, [`${name}<`]: dayOf(started) })).toEqual([]);
      expect(await sids({ To, [`${name}<`]: at(started + HOUR) })).toEqual([done.sid]);
      expect(await sids({ To, [`${name}<`]: dayOf(started + DAY), [`${name}>`]: dayOf(started) })).toEqual([done.sid]);
    }
    // Times are compared to the second.
    expect(await sids({ To, 'StartTime>': at(started + 999) })).toEqual([done.sid]);
    expect(await sids({ To, 'StartTime<': at(started) })).toEqual([]);
  });

  it('shows no end and no duration of a call that was not answered', async () => {
    const { body } = await create({ To: number('9902') });
    const call = await until(body.sid, 'busy');
    expect([call.start_time, call.end_time, call.duration]).toEqual([expect.any(String), null, null]);
    expect(await sids({ To: call.to, 'EndTime>': '2000-01-01' })).toEqual([]);
  });

  it('is filtered by both numbers, status and parent; other parameters are ignored', async () => {
    const To = number('9902');
    const { body: first } = await create({ To, From: '2442' });
    const { body: second } = await create({ To, From: '+1 (202) 555-0123' });
    await Promise.all([until(first.sid, 'busy'), until(second.sid, 'busy')]);
    expect(await sids({ To, From: '2442' })).toEqual([first.sid]);
    expect(await sids({ To, From: '+12025550123' })).toEqual([second.sid]);
    expect(await sids({ To, Status: 'busy' })).toEqual([second.sid, first.sid]);
    expect(await sids({ To, Status: 'completed' })).toEqual([]);
    expect(await sids({ To, ParentCallSid: first.sid })).toEqual([]);
    expect(await sids({ To, Nonsense: '1', status: 'queued', 'StartTime=': 'x' })).toEqual([second.sid, first.sid]);
  });

  it('has pages that skip no call while calls are created', async () => {
    const To = number();
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const made: string[] = [];
    for (let count = 0; count < 7; count++) made.unshift((await create({ To })).body.sid);
    const { body: first } = await list({ To, PageSize: '3' });
    expect(first).toMatchObject({ page: 0, page_size: 3, start: 0, end: 2, previous_page_uri: null });
    await create({ To });
    const follow = async (uri: string): Promise<Body> =>
      (await api.get(`/simulator${uri}`, providerAuthorization)).body;
    const second = await follow(first.next_page_uri);
    expect(second).toMatchObject({ page: 1, start: 3, end: 5 });
    const third = await follow(second.next_page_uri);
    expect(third.next_page_uri).toBeNull();
    const seen = [first, second, third].flatMap((page) => page.calls.map(({ sid }: Body) => sid));
    expect(seen).toEqual(made);
    const back = await follow(third.previous_page_uri);
    expect(back.calls).toEqual(second.calls);
    expect((await follow(first.first_page_uri)).calls[0].sid).not.toBe(made[0]);
    expect((await list({ To, PageSize: '3', Page: '2' })).body.calls).toHaveLength(2);
  });

  it.each([
    [{ Page: '-1' }, 20422],
    [{ Page: 'NaN' }, 20422],
    [{ Page: '9'.repeat(400) }, 20422],
    [{ PageSize: '0' }, 20422],
    [{ PageSize: '1e3' }, 20422],
    [{ PageSize: '1001' }, 20007],
    [{ PageToken: 'x' }, 21481],
    [{ PageToken: `PACA${'0'.repeat(32)}` }, 21481],
    [{ Status: 'nonsense' }, 20422],
    [{ StartTime: 'yesterday' }, 20422],
    [{ 'EndTime<': '2026-13-01' }, 20422],
  ])('is refused with %j', async (query, code) => {
    const { status, body } = await list(query);
    expect([status, body.code, body.status]).toEqual([400, code, 400]);
  });

  it('is empty beyond the last page', async () => {
    expect((await list({ Page: '999999999999999' })).body).toMatchObject({ calls: [], next_page_uri: null });
  });
});

describe('a request for a call', () => {
  it.each([
    ['2442', '2442'],
    ['855', '855'],
    ['SCFM Alert', 'SCFM Alert'],
    ['+855 10 999 999', '+85510999999'],
    ['85510999999', '+85510999999'],
    ['+1 (202) 555-0123', '+12025550123'],
  ])('shows the number %s as %s', async (From, shown) => {
    const { status, body } = await create({ From });
    expect([status, body.from]).toEqual([201, shown]);
  });

  it.each([
    '1',
    '22',
    '+1',
    '+855',
    '12345678901234567',
    '+999123456789',
    '!!!',
    'A name that is too long',
    'client:x',
    ' ',
  ])('cannot be from %s', async (From) => {
    const { status, body } = await create({ From });
    expect([status, body.code]).toEqual([400, 21212]);
  });

  it.each([
    [{ To: '' }, 21201],
    [{ To: '85512345678' }, 21211],
    [{ From: '' }, 21213],
    [{ Twiml: '' }, 21205],
    [{ Url: 'x' }, 21205],
    [{ Url: 'data:text/xml,<Response/>' }, 21205],
    [{ StatusCallback: 'x' }, 21609],
    [{ AsyncAmd: 'true', AsyncAmdStatusCallback: 'x' }, 21609],
    [{ StatusCallbackEvent: 'initiated ringing' }, 21626],
    [{ Method: 'DELETE' }, 21209],
    [{ Twiml: 'x'.repeat(4_001) }, 21632],
  ])('is refused with %j', async (form: Record<string, string>, code) => {
    const { status, body } = await create(form);
    expect([status, body]).toEqual([
      400,
      { code, message: expect.any(String), more_info: expect.stringContaining(String(code)), status: 400 },
    ]);
  });

  it('may have unknown parameters', async () => {
    expect((await create({ Nonsense: '1', to: 'x', StatusCallback: '' })).status).toBe(201);
  });
});

describe('a request to end a call', () => {
  it('cancels a queued call, which then never rings', async () => {
    await api.put('/simulator/faults', { queue_seconds: 50 });
    const [{ body: canceled }, { body: completed }, { body: left }] = [await create(), await create(), await create()];
    expect((await end(canceled.sid, 'canceled')).body).toMatchObject({ status: 'canceled', start_time: null });
    expect((await end(completed.sid, 'completed')).body.status).toBe('canceled');
    await until(left.sid, 'completed');
    expect((await fetchCall(canceled.sid)).status).toBe('canceled');
  });

  it('hangs up an answered call, which canceling does not affect', async () => {
    const { body } = await create({ Twiml: '<Response><Pause length="14400"/></Response>' });
    await until(body.sid, 'in-progress');
    const left = await end(body.sid, 'canceled');
    expect([left.status, left.body.status]).toEqual([200, 'in-progress']);
    expect((await end(body.sid, 'completed')).body).toMatchObject({
      status: 'completed',
      end_time: expect.any(String),
    });
    const again = await end(body.sid, 'completed');
    expect([again.status, again.body.code]).toEqual([400, 21220]);
  });

  it('needs an existing call and a valid status', async () => {
    const { body } = await create();
    for (const status of ['', 'busy', 'CANCELED', '__proto__']) expect((await end(body.sid, status)).status).toBe(400);
    for (const sid of ['CA1', '__proto__', 'constructor', 'x'.repeat(10_000)]) {
      expect((await end(sid, 'canceled')).status).toBe(404);
    }
  });
});

describe('an account fault', () => {
  it.each([
    [20003, 401, 'Authenticate'],
    [20429, 429, 'Too Many Requests'],
    [10004, 400, 'Call concurrency limit exceeded'],
    [21205, 400, 'Invalid URL'],
    [21210, 400, "'From' phone number not verified"],
    [22005, 400, 'Call Queue Full'],
    [21999, 400, 'Error 21999'],
  ])('rejects every request for a call with %i', async (account, status, message) => {
    expect((await api.put('/simulator/faults', { account })).body).toMatchObject({ account });
    const more_info = `https://www.twilio.com/docs/errors/${account}`;
    expect(await create()).toMatchObject({ status, body: { code: account, status, message, more_info } });
    await api.delete('/simulator/faults');
    expect((await create()).status).toBe(201);
  });
});

describe("a call in the provider's queue", () => {
  it('rings after the delay that applied when it was created', async () => {
    await api.put('/simulator/faults', { queue_seconds: 300 });
    const asked = Date.now();
    const { body } = await create();
    await api.delete('/simulator/faults');
    const call = await until(body.sid, 'completed');
    // Three seconds at this speed; times are shown in whole seconds.
    expect(Date.parse(call.start_time)).toBeGreaterThan(asked + 2_000);
  });
});

describe('another party on the account', () => {
  it('places calls that are listed, but not counted as created', async () => {
    const To = number();
    const before = (await api.get('/simulator/statistics')).body;
    const { status, body: foreign } = await api.post('/simulator/foreign_calls', { to: To, from: '+12025550123' });
    expect([status, foreign]).toMatchObject([201, { to: To, from: '+12025550123', direction: 'outbound-api' }]);
    const { body: ours } = await create({ To });
    expect(await sids({ To })).toEqual([ours.sid, foreign.sid]);
    await until(foreign.sid, 'completed');
    expect(await sids({ To, From: '+12025550123', 'StartTime>': '2000-01-01' })).toEqual([foreign.sid]);
    const { body: after } = await api.get('/simulator/statistics');
    expect(after.created - before.created).toBe(1);
    expect(after.rung_again[To]).toBeUndefined();
  });

  it.each([
    [{ to: '1', from: '2442' }, 21211],
    [{ to: '+85510202101', from: '!' }, 21212],
    [{ to: '+85510202101' }, 20422],
    [{ to: ['+85510202101'], from: '2442' }, 20422],
  ])('cannot ask for %j', async (asked, code) => {
    const { status, body } = await api.post('/simulator/foreign_calls', asked);
    expect([status, body.code]).toEqual([400, code]);
  });
});
