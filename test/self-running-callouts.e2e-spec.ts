import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, ApiResponse, Body } from './support/api.js';
import { createPausedCallout, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';

let installation: Installation;
let api: Api;
let groups = 0;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '300' })).api;
});
afterAll(() => installation.remove());

const LATER = '2099-01-01T01:00:00.000Z';
const LATEST = '2099-01-02T00:00:00.000Z';
const PAST = '2020-01-01T00:00:00.000Z';
const plan = { remote_request_params: { from: '2442' } };

const create = (callout: string | object): Promise<ApiResponse> => api.post('/api/callouts', callout);
const shown = async (id: number): Promise<Body> => (await api.get(`/api/callouts/${id}`)).body;
const send = (id: number, event: string): Promise<ApiResponse> =>
  api.post(`/api/callouts/${id}/callout_events`, { event });
const callsOf = async (id: number): Promise<Body[]> => (await api.get(`/api/callouts/${id}/phone_calls`)).body;
const populationsOf = async (id: number): Promise<Body[]> =>
  (await api.get(`/api/callouts/${id}/batch_operations`)).body;

/** Creates contacts of a new group who answer. @returns a filter for the group */
async function createGroup(people: number): Promise<{ metadata: { group: string } }> {
  const metadata = { group: `g${++groups}` };
  const contacts = Array.from({ length: people }, (_, n) => ({
    msisdn: `+85512${String(groups * 10 + n).padStart(3, '0')}9900`,
    metadata,
  }));
  await api.createContacts(...contacts);
  return { metadata };
}

describe('the attributes of a callout', () => {
  it('are taken from JSON, are shown, and can be sent back', async () => {
    const given = {
      priority: 'low',
      audience: { contact_filter_params: { metadata: { province: 'Pursat' } }, keep_adding: true },
      dial_plan: { ...plan, max_attempts: 2 },
      starts_at: '2099-01-01T08:00:00+07:00',
      expires_at: '2099-01-02',
    };
    const { status, body } = await create(given);
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...given, starts_at: LATER, expires_at: LATEST, started_at: null });
    expect((await api.put(`/api/callouts/${body.id}`, body)).status).toBe(204);
    expect(await shown(body.id)).toEqual(body);
    const changed = await api.patch(`/api/callouts/${body.id}`, { ...body, started_at: LATER, completed_at: LATER });
    expect([changed.status, Object.keys(changed.body.errors)]).toEqual([422, ['started_at', 'completed_at']]);
  });

  it('are taken from forms, too, and a form changes no type', async () => {
    const { body } = await create(
      'priority=emergency&audience[contact_filter_params][metadata][province]=Pursat&audience[keep_adding]=yes' +
        '&dial_plan[remote_request_params][from]=2442&dial_plan[retries][busy][max]=3' +
        '&dial_plan[retries][busy][after]=120,300&starts_at=20990101T08%2B07',
    );
    expect(body).toMatchObject({
      priority: 'emergency',
      audience: { contact_filter_params: { metadata: { province: 'Pursat' } }, keep_adding: 'yes' },
      starts_at: LATER,
    });
    expect(body.dial_plan).toEqual({ ...plan, retries: { busy: { max: 3, after: [120, 300] } } });
    const { body: typed } = await create({ dial_plan: { ...plan, max_attempts: 3 } });
    const form = 'dial_plan[remote_request_params][from]=2442&dial_plan[max_attempts]=3';
    expect((await api.patch(`/api/callouts/${typed.id}`, form)).status).toBe(204);
    expect(await shown(typed.id)).toEqual(typed);
  });

  it('are cleared by a blank, except for the priority', async () => {
    const given = { priority: 'low', audience: {}, dial_plan: plan, starts_at: LATER, expires_at: LATEST };
    const cleared = { priority: 'low', audience: null, dial_plan: null, starts_at: null, expires_at: null };
    const nulls = { ...cleared, priority: null };
    for (const blanks of [nulls, 'priority=&audience=&dial_plan=&starts_at=&expires_at=']) {
      const { body } = await create(given);
      expect((await api.patch(`/api/callouts/${body.id}`, blanks)).status).toBe(204);
      expect(await shown(body.id)).toMatchObject(cleared);
    }
    expect((await create('priority=&audience=&dial_plan=&starts_at=&expires_at=')).body).toMatchObject({
      ...cleared,
      priority: 'normal',
    });
  });

  const mustBeTime = 'must be an ISO 8601 date or timestamp';
  it.each([
    [{ priority: 'urgent' }, { priority: ['is not included in the list'] }],
    [{ audience: 'everyone' }, { audience: ['must be an object'] }],
    [{ audience: [] }, { audience: ['must be an object'] }],
    [{ audience: { limit: 1 } }, { audience: ['limit is not a permitted parameter'] }],
    [{ audience: { keep_adding: 'perhaps' } }, { audience: ['keep_adding must be true or false'] }],
    [
      { audience: { contact_filter_params: { metdata: { a: '1' } } } },
      { audience: ['contact_filter_params metdata is not a filter of this list'] },
    ],
    [{ dial_plan: 'x' }, { dial_plan: ['must be an object'] }],
    [{ dial_plan: {} }, { dial_plan: ["remote_request_params can't be blank"] }],
    [
      { dial_plan: { remote_request_params: { from: ' ', timeout: 20 }, nonsense: 1 } },
      {
        dial_plan: ["remote_request_params.from can't be blank; nonsense is not a permitted parameter"],
      },
    ],
    [{ starts_at: 'tomorrow' }, { starts_at: [mustBeTime] }],
    [
      { starts_at: 5, expires_at: '2099-02-30' },
      { starts_at: [mustBeTime], expires_at: [mustBeTime] },
    ],
    [{ expires_at: PAST }, { expires_at: ['is in the past'] }],
    [{ starts_at: LATEST, expires_at: LATER }, { expires_at: ['must be after starts_at'] }],
    [{ starts_at: LATER, expires_at: LATER }, { expires_at: ['must be after starts_at'] }],
    [{ started_at: LATER }, { started_at: ['is not a permitted parameter'] }],
  ])('are rejected: %j', async (given, errors) => {
    const created = await create(given);
    expect([created.status, created.body]).toEqual([422, { errors }]);
    const id = await api.createCallout();
    const before = await shown(id);
    const changed = await api.patch(`/api/callouts/${id}`, given);
    expect([changed.status, changed.body]).toEqual([422, { errors }]);
    expect(await shown(id)).toEqual(before);
  });

  it('cannot put the start after the expiry, but may come back after the callout has expired', async () => {
    const { body } = await create({ expires_at: LATER });
    const late = await api.patch(`/api/callouts/${body.id}`, { starts_at: LATEST });
    expect([late.status, late.body]).toEqual([422, { errors: { expires_at: ['must be after starts_at'] } }]);
    await installation.query(`UPDATE callouts SET expires_at = '${PAST}' WHERE id = ${body.id}`);
    expect((await api.put(`/api/callouts/${body.id}`, await shown(body.id))).status).toBe(204);
    for (const event of ['start', 'pause', 'resume']) {
      const { status, body: answer } = await send(body.id, event);
      const refused = { errors: { expires_at: ['is in the past'] } };
      expect([event, status, answer]).toEqual(
        event === 'pause' ? [event, 201, expect.anything()] : [event, 422, refused],
      );
    }
  });

  it('can be filtered by', async () => {
    const { body: one } = await create({ priority: 'emergency', starts_at: LATER, expires_at: LATEST });
    const { body: other } = await create({ priority: 'low' });
    await sendCalloutEvent(api, one.id, 'start');
    await sendCalloutEvent(api, other.id, 'start');
    await sendCalloutEvent(api, other.id, 'stop');
    const found = async (query: string) => {
      const ids = await api.listIds(`/api/callouts?${query}`);
      return [one.id, other.id].filter((id) => ids.includes(id));
    };
    expect(await found('q[status]=scheduled,completed')).toEqual([one.id]);
    expect(await found('q[priority]=emergency,normal')).toEqual([one.id]);
    expect(await found('q[priority]=low')).toEqual([other.id]);
    expect(await found('q[starts_at_after]=2098-12-31')).toEqual([one.id]);
    expect(await found('q[starts_at_before]=2099-01-01')).toEqual([]);
    expect(await found('q[expires_at_or_before]=2099-01-02')).toEqual([one.id]);
    expect(await found('q[started_at_after]=2020-01-01')).toEqual([other.id]);
    expect(await found('q[stopped_at_after]=2020-01-01')).toEqual([other.id]);
    expect(await found('q[completed_at_after]=2020-01-01')).toEqual([]);
    expect((await api.get('/api/callouts?q[priority]=urgent')).status).toBe(400);
  });
});

describe('a callout whose starts_at lies ahead', () => {
  const refused = { errors: { event: ['is not included in the list'] } };

  it('is scheduled by start, and runs at once if it is started again', async () => {
    const { body } = await create({ starts_at: LATER });
    const { id } = body;
    const path: [event: string, status: number, now: string][] = [
      ['resume', 422, 'initialized'],
      ['start', 201, 'scheduled'],
      ['resume', 422, 'scheduled'],
      ['pause', 201, 'paused'],
      ['start', 422, 'paused'],
      ['resume', 201, 'scheduled'],
      ['stop', 201, 'stopped'],
      ['resume', 201, 'scheduled'],
      ['start', 201, 'running'],
      ['start', 422, 'running'],
      // It has run, so it does not wait again.
      ['pause', 201, 'paused'],
      ['resume', 201, 'running'],
      ['stop', 201, 'stopped'],
      ['resume', 201, 'running'],
    ];
    for (const [event, status, now] of path) {
      const answer = await send(id, event);
      expect([event, answer.status]).toEqual([event, status]);
      expect(answer.body).toMatchObject(status === 201 ? { id, status: now } : refused);
      expect((await shown(id)).status).toBe(now);
    }
    const events = await api.get(`/api/events?q[type]=callout.scheduled&q[resource_type]=callout&q[resource_id]=${id}`);
    expect(events.body.map(({ changes }: Body) => changes.status)).toEqual([
      ['initialized', 'scheduled'],
      ['paused', 'scheduled'],
      ['stopped', 'scheduled'],
    ]);
  });

  it('dials nobody while it is scheduled, and neither does a completed one; start and resume dial', async () => {
    const callouts: number[] = [];
    for (const status of ['scheduled', 'completed']) {
      const filter = await createGroup(1);
      const id = await createPausedCallout(api, filter);
      await installation.query(
        `UPDATE callouts SET status = '${status}', starts_at = '${LATER}', completed_at = '${PAST}' WHERE id = ${id}`,
      );
      callouts.push(id);
    }
    const [scheduled, completed] = callouts as [number, number];
    const running = await createPausedCallout(api, await createGroup(1));
    await sendCalloutEvent(api, running, 'resume');
    await eventually(async () => (await callsOf(running))[0].status === 'completed');
    expect((await callsOf(scheduled))[0].status).toBe('queued');
    await eventually(async () => (await callsOf(completed))[0].status === 'canceled');
    expect((await send(completed, 'stop')).status).toBe(422);
    expect((await send(completed, 'pause')).status).toBe(422);
    await sendCalloutEvent(api, scheduled, 'start');
    await sendCalloutEvent(api, completed, 'resume');
    expect(await shown(completed)).toMatchObject({ status: 'running', completed_at: null });
    await eventually(async () => (await callsOf(scheduled))[0].status === 'completed');
    const again = await api.post(
      `/api/callout_participations/${(await callsOf(completed))[0].callout_participation_id}/phone_calls`,
      {
        remote_request_params: { from: '2442' },
      },
    );
    await api.post(`/api/phone_calls/${again.body.id}/phone_call_events`, { event: 'queue' });
    await eventually(async () => (await callsOf(completed))[1]!.status === 'completed');
  });

  it('needs something to say before it is scheduled, and as long as it is', async () => {
    const flow = { call_flow_logic: 'CallFlowLogic::PlayMessage', starts_at: LATER };
    const { body: silent } = await create(flow);
    const start = await send(silent.id, 'start');
    expect([start.status, (await shown(silent.id)).status]).toEqual([422, 'initialized']);
    const { body } = await create({ ...flow, metadata: { message: 'Water rises.' } });
    await sendCalloutEvent(api, body.id, 'start');
    const emptied = await api.patch(`/api/callouts/${body.id}`, { metadata: {}, metadata_merge_mode: 'replace' });
    expect([emptied.status, emptied.body]).toEqual([422, start.body]);
  });
});

describe('the times of a callout', () => {
  it('are set by its first run, by stop, and cleared by resume', async () => {
    const id = await api.createCallout();
    const times = async () => {
      const { started_at: started, stopped_at: stopped, completed_at: completed } = await shown(id);
      return { started, stopped, completed };
    };
    expect(await times()).toEqual({ started: null, stopped: null, completed: null });
    await sendCalloutEvent(api, id, 'start');
    const { started } = await times();
    expect(started).toEqual(expect.any(String));
    await sendCalloutEvent(api, id, 'stop');
    expect(await times()).toEqual({ started, stopped: expect.any(String), completed: null });
    await sendCalloutEvent(api, id, 'resume');
    expect(await times()).toEqual({ started, stopped: null, completed: null });
  });
});

describe('the audience of a callout', () => {
  it('is added by start and by resume, by the same population as long as the parameters are the same', async () => {
    const contact_filter_params = await createGroup(2);
    const audience = { contact_filter_params, include_do_not_call: false };
    const { body } = await create({ audience: { ...audience, keep_adding: true } });
    const { id } = body;
    await sendCalloutEvent(api, id, 'start');
    const [population, ...others] = await populationsOf(id);
    expect([population.type, population.parameters, others]).toEqual([
      'BatchOperation::CalloutPopulation',
      audience,
      [],
    ]);
    const contacts = () => api.listIds(`/api/callouts/${id}/contacts`);
    await eventually(async () => (await contacts()).length === 2);
    await api.waitForBatchOperation(population.id);

    const [late] = await api.createContacts({ msisdn: '+855129989900', ...contact_filter_params });
    await sendCalloutEvent(api, id, 'pause');
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await contacts()).includes(late!));
    expect((await populationsOf(id)).map((one) => one.id)).toEqual([population.id]);

    await sendCalloutEvent(api, id, 'stop');
    await api.patch(`/api/callouts/${id}`, { audience: { contact_filter_params } });
    await sendCalloutEvent(api, id, 'resume');
    expect((await populationsOf(id)).map(({ parameters }) => parameters)).toEqual([
      audience,
      { contact_filter_params },
    ]);
  });

  it('is added when the callout is scheduled, and not at all by an event that is refused', async () => {
    const contact_filter_params = await createGroup(1);
    const { body } = await create({ audience: { contact_filter_params }, starts_at: LATER });
    expect((await send(body.id, 'resume')).status).toBe(422);
    await installation.query(`UPDATE callouts SET expires_at = '${PAST}' WHERE id = ${body.id}`);
    expect((await send(body.id, 'start')).status).toBe(422);
    expect(await populationsOf(body.id)).toEqual([]);
    await api.patch(`/api/callouts/${body.id}`, { expires_at: null });
    await sendCalloutEvent(api, body.id, 'start');
    await eventually(async () => (await api.listIds(`/api/callouts/${body.id}/contacts`)).length === 1);
    expect((await shown(body.id)).status).toBe('scheduled');
  });

  it('is added once by twenty concurrent starts', async () => {
    const { body } = await create({ audience: { contact_filter_params: await createGroup(1) } });
    await Promise.all(Array.from({ length: 20 }, () => send(body.id, 'start')));
    expect(await populationsOf(body.id)).toHaveLength(1);
  });
});

describe('an expired callout', () => {
  it.each(['paused', 'running'])('cancels its queued calls while it is %s, and says why', async (status) => {
    const id = await createPausedCallout(api, await createGroup(1));
    await installation.query(`UPDATE callouts SET expires_at = '${PAST}', status = '${status}' WHERE id = ${id}`);
    const call = await eventually(async () => {
      const [one] = await callsOf(id);
      return one.status === 'canceled' && one;
    });
    expect(call).toMatchObject({
      remote_call_id: null,
      remote_error_message: 'The callout has expired: nobody was called.',
    });
  });

  it('is dialed until then', async () => {
    const id = await createPausedCallout(api, await createGroup(1));
    await api.patch(`/api/callouts/${id}`, { expires_at: LATER });
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await callsOf(id))[0].status === 'completed');
  });
});
