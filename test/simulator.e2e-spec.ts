import twilio from 'twilio';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TwilioProvider } from '../src/telephony/twilio/twilio.provider.js';
import type { ApiResponse, Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import {
  PROVIDER_SID,
  PROVIDER_TOKEN,
  providerAuthorization,
  providerEnvironment,
} from './support/provider-environment.js';
import { StubServer } from './support/stub-server.js';

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
    for (const { sid } of [canceled, completed]) {
      expect(await fetchCall(sid)).toMatchObject({ status: 'canceled', start_time: null, end_time: null });
    }
  });

  it('cancels a ringing call, which nobody answers then', async () => {
    const To = number();
    await api.put(`/simulator/people/${encodeURIComponent(To)}`, { ending: 'answered', ring: 50 });
    const form = { To, Twiml: '<Response><Say>Hello</Say></Response>', MachineDetection: 'Enable' };
    const [{ body: canceled }, { body: left }] = [await create(form), await create(form)];
    await until(canceled.sid, 'ringing');
    expect((await end(canceled.sid, 'canceled')).body).toMatchObject({ status: 'canceled', end_time: null });
    await until(left.sid, 'completed');
    expect(await fetchCall(canceled.sid)).toMatchObject({ status: 'canceled', answered_by: null, duration: null });
    expect((await api.get(`/simulator/calls/${canceled.sid}/transcript`)).body).toEqual([]);
  });

  it('asks no question after it', async () => {
    const Twiml = `<Response><Gather><Say>${'A long question. '.repeat(40)}</Say></Gather></Response>`;
    const [{ body: ended }, { body: left }] = [await create({ Twiml }), await create({ Twiml })];
    await until(ended.sid, 'in-progress');
    await end(ended.sid, 'completed');
    await until(left.sid, 'completed');
    const { body: transcript } = await api.get(`/simulator/calls/${ended.sid}/transcript`);
    expect(transcript).toEqual([{ said: expect.any(String) }]);
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
    for (const status of ['canceled', 'completed']) {
      const again = await end(body.sid, status);
      expect([again.status, again.body]).toMatchObject([
        400,
        { code: 21220, message: 'Call is not in-progress. Cannot redirect.', status: 400 },
      ]);
    }
  });

  it('sends the last status callback, signed and numbered', async () => {
    const receiver = await StubServer.start();
    const StatusCallback = `${receiver.url}/status`;
    /** Waits for so many callbacks of a call. @returns the last one */
    const lastOf = (sid: string, count: number): Promise<Body> =>
      eventually(() => {
        const forms = receiver.forms.filter((form) => form.get('CallSid') === sid);
        return forms.length === count ? Object.fromEntries(forms.at(-1)!) : undefined;
      });
    const createWithCallbacks = async (Twiml: string): Promise<string> => {
      const form = new URLSearchParams({ To: number(), From: '2442', Twiml, StatusCallback });
      for (const event of ['initiated', 'ringing', 'answered', 'completed']) form.append('StatusCallbackEvent', event);
      return (await api.send('POST', `${calls}.json`, form.toString(), providerAuthorization)).body.sid;
    };
    const answered = await createWithCallbacks('<Response><Pause length="14400"/></Response>');
    await lastOf(answered, 3);
    await end(answered, 'completed');
    expect(await lastOf(answered, 4)).toMatchObject({ CallStatus: 'completed', SequenceNumber: '3' });
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const queued = await createWithCallbacks('<Response/>');
    await end(queued, 'canceled');
    const canceled = await lastOf(queued, 1);
    expect(canceled).toMatchObject({ CallStatus: 'canceled', SequenceNumber: '0', CallDuration: '0' });
    const signature = receiver.headersOfForms.at(-1)!['x-twilio-signature'] as string;
    expect(twilio.validateRequest(PROVIDER_TOKEN, signature, StatusCallback, canceled)).toBe(true);
    await receiver.stop();
  });

  it.each([
    'Url',
    'Method',
    'FallbackUrl',
    'FallbackMethod',
    'StatusCallback',
    'StatusCallbackMethod',
    'Twiml',
    'TimeLimit',
  ])('cannot have %s, which the simulator does not support', async (name) => {
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const { body: call } = await create();
    const form = `Status=completed&${name}=x`;
    const { status, body } = await api.send('POST', `${calls}/${call.sid}.json`, form, providerAuthorization);
    expect([status, body.code, body.message]).toEqual([400, 20422, expect.stringContaining(`support ${name} `)]);
    expect((await fetchCall(call.sid)).status).toBe('queued');
  });

  it('may have unknown parameters', async () => {
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const { body } = await create();
    const ended = await api.send(
      'POST',
      `${calls}/${body.sid}.json`,
      'Status=canceled&Nonsense=1&Url=',
      providerAuthorization,
    );
    expect(ended.status).toBe(200);
  });

  it('needs an existing call and a valid status', async () => {
    const { body } = await create();
    for (const status of ['', 'busy', 'CANCELED', '__proto__']) {
      expect(await end(body.sid, status)).toMatchObject({ status: 400, body: { code: 20422, status: 400 } });
    }
    for (const sid of ['CA1', '__proto__', 'constructor', 'x'.repeat(10_000)]) {
      expect(await end(sid, 'canceled')).toMatchObject({ status: 404, body: { code: 20404, status: 404 } });
    }
  });

  it.each([
    ['429', 429, 20429, 'queued'],
    ['500_before', 500, 20500, 'queued'],
    ['500_after', 500, 20500, 'canceled'],
  ])('has the fault %s', async (fault, status, code, shown) => {
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const { body } = await create();
    await api.put('/simulator/faults', { create: { [fault]: 1 } });
    expect(await end(body.sid, 'canceled')).toMatchObject({ status, body: { code, status } });
    expect((await fetchCall(body.sid)).status).toBe(shown);
  });
});

describe("the provider's client", () => {
  const clientWith = (token: string, timeout = 30) =>
    new TwilioProvider({ sid: PROVIDER_SID, token }, async () => `${api.url}/simulator`, timeout);
  const client = clientWith(PROVIDER_TOKEN);
  const createQueued = async (): Promise<string> => {
    await api.put('/simulator/faults', { queue_seconds: LONG });
    const { body } = await create();
    await api.delete('/simulator/faults');
    return body.sid;
  };

  it('ends calls that are queued or answered, and learns that others are over or unknown', async () => {
    const sid = await createQueued();
    expect(await client.endCall(sid, 'canceled')).toMatchObject({
      outcome: 'ended',
      call: { sid, status: 'canceled' },
    });
    expect(await client.endCall(sid, 'canceled')).toEqual({ outcome: 'already_ended' });
    expect(await client.endCall(`CA1/../${sid}`, 'canceled')).toEqual({ outcome: 'not_found' });
    const { body: answered } = await create({ Twiml: '<Response><Pause length="14400"/></Response>' });
    await until(answered.sid, 'in-progress');
    expect(await client.endCall(answered.sid, 'canceled')).toMatchObject({
      outcome: 'not_cancelable',
      call: { status: 'in-progress' },
    });
    expect(await client.endCall(answered.sid, 'completed')).toMatchObject({
      outcome: 'ended',
      call: { status: 'completed' },
    });
  });

  it.each([
    [{ create: { '429': 1 } }, 'postponed', 'ended'],
    [{ create: { '500_before': 1 } }, 'unknown', 'ended'],
    [{ create: { '500_after': 1 } }, 'unknown', 'already_ended'],
    [{ create: { hang_before: 1 } }, 'unknown', 'ended'],
    [{ create: { hang_after: 1 } }, 'unknown', 'already_ended'],
    [{ account: 20003 }, 'barred', 'ended'],
    [{ account: 10001 }, 'barred', 'ended'],
  ])('with the faults %j gets %s, and %s when it asks again', async (faults, outcome, again) => {
    const sid = await createQueued();
    await api.put('/simulator/faults', faults);
    expect((await clientWith(PROVIDER_TOKEN, 2).endCall(sid, 'canceled')).outcome).toBe(outcome);
    await api.delete('/simulator/faults');
    expect((await client.endCall(sid, 'canceled')).outcome).toBe(again);
  });

  it('is barred with a wrong token', async () => {
    expect((await clientWith('wrong').endCall(await createQueued(), 'canceled')).outcome).toBe('barred');
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
  ])('rejects every request to create or end a call with %i', async (account, status, message) => {
    const { body: placed } = await create();
    expect((await api.put('/simulator/faults', { account })).body).toMatchObject({ account });
    const more_info = `https://www.twilio.com/docs/errors/${account}`;
    const error = { status, body: { code: account, status, message, more_info } };
    expect(await create()).toMatchObject(error);
    expect(await end(placed.sid, 'completed')).toMatchObject(error);
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
