import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { dialParticipation } from './support/simulated-calls.js';

/** What the last four digits of a number make its person do, and the outcome that follows. */
const people = {
  '9900': 'answered',
  '9901': 'confirmed',
  '9902': 'busy',
  '9903': 'not_answered',
  '9904': 'failed',
  '9905': 'machine',
  '9921': 'errored',
} as const;

let installation: Installation;
let api: Api;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '500', CALLS_PER_SECOND: '400', SIMULATOR_MACHINE: '0' })).api;
});
afterAll(() => installation.remove());
afterAll(() => expectConsistentBookkeeping(installation));

const number = (ending: string): string => `+85570${String(100 + ++numbers)}${ending}`;
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const params = { from: '2442', machine_detection: 'Enable' };

async function createCallout(): Promise<number> {
  const metadata = { message: 'The river is rising.' };
  return (await api.post('/api/callouts', { call_flow_logic: 'CallFlowLogic::PlayMessage', metadata })).body.id;
}

/** Adds a new person to a callout. @returns the ids of the participation and of the contact */
async function addPerson(callout: number, ending: string): Promise<{ id: number; contact: number }> {
  const [contact] = await api.createContacts({ msisdn: number(ending) });
  const path = `/api/callouts/${callout}/callout_participations`;
  return { id: (await api.post(path, { contact_id: contact })).body.id, contact: contact! };
}

const participation = async (id: number): Promise<Body> => (await api.get(`/api/callout_participations/${id}`)).body;

const hasOutcome = (id: number, outcome: string): Promise<boolean> =>
  eventually(async () => (await participation(id)).outcome === outcome);

/** Waits until every participation of a callout has one of these outcomes. @returns the number of each */
async function countsOf(callout: number, open = ['waiting', 'calling']): Promise<Record<string, number>> {
  return eventually<Record<string, number> | false>(async () => {
    const rows = await installation.query<{ outcome: string; count: string | number }>(
      `SELECT outcome, count(*) AS count FROM callout_participations WHERE callout_id = ${callout} GROUP BY outcome`,
    );
    const counts = Object.fromEntries(rows.map(({ outcome, count }) => [outcome, Number(count)]));
    return !open.some((outcome) => outcome in counts) && counts;
  }) as Promise<Record<string, number>>;
}

describe('a participation', () => {
  it('shows its outcome after its other keys', async () => {
    const { id } = await addPerson(await createCallout(), '9901');
    expect(Object.entries(await participation(id)).slice(-6)).toEqual([
      ['updated_at', isoTime],
      ['outcome', 'waiting'],
      ['attempts', 0],
      ['waiting_for', null],
      ['next_call_at', null],
      ['last_call_at', null],
    ]);
  });

  it('does not take its outcome from a client', async () => {
    const { id } = await addPerson(await createCallout(), '9901');
    const { status, body } = await api.patch(`/api/callout_participations/${id}`, { outcome: 'confirmed' });
    expect([status, Object.keys(body.errors)]).toEqual([422, ['outcome']]);
  });

  it.each(Object.entries(people))('whose number ends in %s is %s after a call by hand', async (ending, outcome) => {
    const { id } = await addPerson(await createCallout(), ending);
    await dialParticipation(api, id, params);
    await hasOutcome(id, outcome);
    expect(await participation(id)).toMatchObject({ outcome, attempts: 1, next_call_at: null, last_call_at: isoTime });
  });

  it('keeps that it answered, whatever a later call comes to', async () => {
    const { id } = await addPerson(await createCallout(), '9900');
    await dialParticipation(api, id, params);
    const busy = number('9902');
    const path = `/api/callout_participations/${id}/phone_calls`;
    const { body: call } = await api.post(path, { msisdn: busy, remote_request_params: params });
    await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue');
    expect((await participation(id)).outcome).toBe('answered');
    await eventually(async () => (await participation(id)).attempts === 2);
    expect((await participation(id)).outcome).toBe('answered');
  });

  it('is confirmed, or not, as a client writes it', async () => {
    const { id } = await addPerson(await createCallout(), '9902');
    await dialParticipation(api, id, params);
    await hasOutcome(id, 'busy');
    await api.patch(`/api/callout_participations/${id}`, { metadata: { confirmed_at: '2026-01-01T00:00:00Z' } });
    expect((await participation(id)).outcome).toBe('confirmed');
    await api.patch(`/api/callout_participations/${id}`, { metadata: { confirmed_at: null } });
    expect((await participation(id)).outcome).toBe('busy');
  });

  it('is opted_out once its call was canceled for that', async () => {
    const callout = await createCallout();
    await sendCalloutEvent(api, callout, 'pause');
    const { id, contact } = await addPerson(callout, '9901');
    const path = `/api/callout_participations/${id}/phone_calls`;
    const { body: call } = await api.post(path, { remote_request_params: params });
    expect((await participation(id)).outcome).toBe('waiting');
    await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue');
    expect((await participation(id)).outcome).toBe('calling');
    await api.patch(`/api/contacts/${contact}`, { metadata: { do_not_call: 'yes' } });
    await sendCalloutEvent(api, callout, 'resume');
    await hasOutcome(id, 'opted_out');
  });

  it('is canceled while its callout is stopped, if it was never called', async () => {
    const callout = await createCallout();
    const [called, created, untouched] = [
      await addPerson(callout, '9902'),
      await addPerson(callout, '9901'),
      await addPerson(callout, '9901'),
    ];
    await api.post(`/api/callout_participations/${created.id}/phone_calls`, { remote_request_params: params });
    await dialParticipation(api, called.id, params);
    await sendCalloutEvent(api, callout, 'stop');
    for (const { id } of [created, untouched]) await hasOutcome(id, 'canceled');
    const late = await addPerson(callout, '9901');
    expect((await participation(late.id)).outcome).toBe('canceled');
    expect((await participation(called.id)).outcome).toBe('busy');
    await sendCalloutEvent(api, callout, 'resume');
    for (const { id } of [created, untouched, late]) await hasOutcome(id, 'waiting');
    expect((await participation(called.id)).outcome).toBe('busy');
  });

  it('is listed by its outcome, its attempts and its next call', async () => {
    const callout = await createCallout();
    const [busy, waiting] = [await addPerson(callout, '9902'), await addPerson(callout, '9901')];
    await dialParticipation(api, busy.id, params);
    await hasOutcome(busy.id, 'busy');
    const listed = (query: string) => api.listIds(`/api/callouts/${callout}/callout_participations?${query}`);
    expect(await listed('q[outcome]=busy,failed')).toEqual([busy.id]);
    expect(await listed('q[outcome]=waiting')).toEqual([waiting.id]);
    expect(await listed('q[attempts]=0')).toEqual([waiting.id]);
    expect(await listed('q[attempts]=1,2')).toEqual([busy.id]);
    expect(await listed('q[last_call_at_after]=2020-01-01')).toEqual([busy.id]);
    expect(await listed('q[next_call_at_before]=2100-01-01')).toEqual([]);
    expect(await listed('q[waiting_for]=window')).toEqual([]);
    for (const filter of ['outcome', 'waiting_for', 'attempts', 'next_call_at_before']) {
      expect((await api.get(`/api/callout_participations?q[${filter}]=nonsense`)).status).toBe(400);
    }
  });
});

describe('batch operations', () => {
  const EACH = way === 'embedded' ? 20 : 60;

  it('lead each participation to its outcome', async () => {
    const callout = await createCallout();
    const group = `batch-${callout}`;
    const endings = Object.keys(people).flatMap((ending) => Array<string>(EACH).fill(ending));
    const [optingOut] = await api.createContacts(
      { msisdn: number('9901'), metadata: { group } },
      ...endings.map((ending) => ({ msisdn: number(ending), metadata: { group } })),
    );
    await sendCalloutEvent(api, callout, 'pause');
    const filter = { contact_filter_params: { metadata: { group } } };
    await runBatchOperation(api, callout, 'CalloutPopulation', filter);
    await runBatchOperation(api, callout, 'PhoneCallCreate', { remote_request_params: params });
    expect(await countsOf(callout, [])).toEqual({ waiting: endings.length + 1 });
    await runBatchOperation(api, callout, 'PhoneCallQueue');
    expect(await countsOf(callout, [])).toEqual({ calling: endings.length + 1 });
    await api.patch(`/api/contacts/${optingOut}`, { metadata: { do_not_call: 'yes' } });
    await sendCalloutEvent(api, callout, 'resume');
    const each = Object.fromEntries(Object.values(people).map((outcome) => [outcome, EACH]));
    expect(await countsOf(callout)).toEqual({ ...each, opted_out: 1 });
    await expectConsistentBookkeeping(installation);
  }, 120_000);

  it('lead everyone who was not called to canceled when the callout is stopped, and back', async () => {
    const callout = await createCallout();
    const group = `stopped-${callout}`;
    const count = 4_500;
    await installation.query(
      `INSERT INTO contacts (msisdn, metadata) VALUES ${Array.from(
        { length: count },
        (_, index) => `('+85580${2_000_000 + index}', '{"group":"${group}"}')`,
      ).join()}`,
    );
    await sendCalloutEvent(api, callout, 'pause');
    await runBatchOperation(api, callout, 'CalloutPopulation', {
      contact_filter_params: { metadata: { group } },
    });
    await sendCalloutEvent(api, callout, 'stop');
    expect(await countsOf(callout)).toEqual({ canceled: count });
    await sendCalloutEvent(api, callout, 'resume');
    expect(await countsOf(callout, ['canceled'])).toEqual({ waiting: count });
    await sendCalloutEvent(api, callout, 'pause');
    await runBatchOperation(api, callout, 'PhoneCallCreate', { remote_request_params: params });
    await runBatchOperation(api, callout, 'PhoneCallQueue');
    expect(await countsOf(callout, [])).toEqual({ calling: count });
    await sendCalloutEvent(api, callout, 'stop');
    expect(await countsOf(callout)).toEqual({ canceled: count });
    await eventually(
      async () => (await installation.query('SELECT 1 FROM callouts WHERE outcomes_cursor IS NOT NULL')).length === 0,
    );
    await expectConsistentBookkeeping(installation);
  }, 120_000);
});

describe('the lists of one callout', () => {
  it.each([
    ["outcome = 'busy'", /callout_participations_callout_id_outcome|callout_participations_due/],
    ["outcome IN ('waiting', 'retrying') AND next_call_at < '2026-01-01'", /callout_participations_(due|callout_id)/],
  ])('by %s are found by an index', async (condition, index) => {
    const statement = `SELECT id FROM callout_participations WHERE callout_id = 1 AND ${condition} ORDER BY id LIMIT 25`;
    const connection = await installation.connect();
    try {
      if (way === 'cluster') await connection.query('SET enable_seqscan = off');
      const plan = await connection.query(`${way === 'cluster' ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN'} ${statement}`);
      expect(JSON.stringify(plan)).toMatch(index);
    } finally {
      await connection.close();
    }
  });
});
