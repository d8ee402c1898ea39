import type { Sql } from 'sql-template-tag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Transaction } from '../src/database/transaction.js';
import { requestRecall } from '../src/recalls/request-recall.js';
import type { Api, ApiResponse, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { providerEnvironment } from './support/provider-environment.js';
import { callsAtProvider, startCallout, storedParticipations, waitForStatus } from './support/self-running.js';
import { setPersonBehavior } from './support/simulated-calls.js';

let installation: Installation;
let api: Api;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  const settings = { SIMULATOR_SPEED: '1', CALLS_PER_SECOND: '200', RECALLS_PER_SECOND: '1000' };
  api = (await installation.start({ ...providerEnvironment, ...settings })).api;
});
afterAll(() => installation.remove());
afterAll(() => expectConsistentBookkeeping(installation));

const send = (id: number, body: object): Promise<ApiResponse> => api.post(`/api/callouts/${id}/callout_events`, body);
const receipt = async (id: number): Promise<Body> => (await api.get(`/api/callouts/${id}/recall`)).body;
const settled = (id: number): Promise<Body> =>
  eventually(async () => {
    const body = await receipt(id);
    return body.settled === true && body;
  });

/** The numbers of a receipt that are not 0. */
const numbersIn = (body: Body): Record<string, number> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'number' && value > 0)) as Record<
    string,
    number
  >;

/** Creates people of a new group, with what they do when they are called. @returns the group and the numbers */
async function createPeople(...behaviors: object[]): Promise<{ group: string; phones: string[] }> {
  const group = `recall-${++numbers}`;
  const phones = behaviors.map((_, n) => `+85512${String(numbers * 20 + n).padStart(3, '0')}1000`);
  await api.createContacts(...phones.map((msisdn) => ({ msisdn, metadata: { group } })));
  for (const [n, behavior] of behaviors.entries()) await setPersonBehavior(api, phones[n]!, behavior);
  return { group, phones };
}

/** Waits until the provider's statuses of the calls of a callout are these, in any order. */
const waitForCalls = (id: number, ...statuses: string[]): Promise<unknown> =>
  eventually(async () => {
    const { body } = await api.get(`/api/callouts/${id}/phone_calls`);
    const found = (body as unknown as Body[]).map((call) => String(call.remote_status ?? call.status));
    return JSON.stringify(found.toSorted()) === JSON.stringify(statuses.toSorted());
  });

const outcomesOf = async (id: number): Promise<string[]> =>
  (await storedParticipations(installation, id)).map(({ outcome }) => outcome);

/** Nobody answers within a minute. */
const rings = { ring: 60 };
const plan = { max_attempts: 3, retries: { busy: { max: 2, after: [3600] } } };

describe('a stop', () => {
  it('recalls ringing calls, leaves conversations alone, and puts each person into one number', async () => {
    const { group, phones } = await createPeople(rings, rings, { ring: 0 }, { ending: 'busy', ring: 0 });
    const metadata = { message: 'The river is rising. '.repeat(40) };
    const callout = await startCallout(api, group, { ...plan, retries: {} }, { metadata });
    await waitForCalls(callout, 'ringing', 'ringing', 'in-progress', 'busy');
    const { status, body } = await send(callout, { event: 'stop' });
    expect([status, body.status]).toEqual([201, 'stopped']);
    const found = await settled(callout);
    expect(Object.keys(found)).toEqual([
      'requested_at',
      'requested_by',
      'settled',
      'not_dialed',
      'recalled',
      'answered_before',
      'could_not_recall',
      'pending',
      'talking',
      'done_before',
    ]);
    expect(numbersIn(found)).toEqual({ recalled: 2, talking: 1, done_before: 1 });
    const calls = await callsAtProvider(api);
    expect(phones.map((msisdn) => calls.get(msisdn)!.map((call) => String(call.status)))).toEqual([
      ['canceled'],
      ['canceled'],
      ['in-progress'],
      ['busy'],
    ]);
    expect(await outcomesOf(callout)).toEqual(['canceled', 'canceled', 'calling', 'busy']);

    const again = await send(callout, { event: 'stop', hang_up: 'true' });
    expect([again.status, again.body.status]).toEqual([201, 'stopped']);
    await eventually(async () => (await outcomesOf(callout))[2] === 'answered');
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 2, talking: 1, done_before: 1 });
    expect((await send(callout, { event: 'stop' })).body.errors).toEqual({ event: ['is not included in the list'] });
  });

  it('is undone by resume: whoever was recalled is called again, and the attempt does not count', async () => {
    const { group, phones } = await createPeople(rings);
    const callout = await startCallout(api, group, { max_attempts: 1 });
    await waitForCalls(callout, 'ringing');
    await send(callout, { event: 'stop' });
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 1 });
    await setPersonBehavior(api, phones[0]!, { ring: 0, hangsUpAtOnce: true });
    await send(callout, { event: 'resume' });
    await waitForStatus(api, callout, 'completed');
    expect(await storedParticipations(installation, callout)).toMatchObject([{ outcome: 'answered', attempts: 2 }]);
    expect(numbersIn(await receipt(callout))).toEqual({ recalled: 1 });
  });

  it('counts people whom an earlier stop has canceled, and a resume calls again', async () => {
    const { group } = await createPeople(rings, rings, rings);
    const callout = await startCallout(api, group, { ...plan, max_calls_in_flight: 1 });
    await eventually(async () => {
      const { headers } = await api.get(`/api/callouts/${callout}/phone_calls?q[status]=in_progress`);
      return headers.get('total') === '1';
    });
    await send(callout, { event: 'stop' });
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 1, not_dialed: 2 });
    await eventually(async () => (await outcomesOf(callout)).every((outcome) => outcome === 'canceled'));
    await send(callout, { event: 'resume' });
    await send(callout, { event: 'stop' });
    const { recalled = 0, not_dialed, ...others } = numbersIn(await settled(callout));
    expect([recalled + not_dialed!, others]).toEqual([3, {}]);
  });

  it('keeps its receipt when the time of the callout is over', async () => {
    const { group } = await createPeople(rings);
    const expires_at = new Date(Date.now() + 4_000).toISOString();
    const callout = await startCallout(api, group, plan, { expires_at });
    await waitForCalls(callout, 'ringing');
    await send(callout, { event: 'stop' });
    const found = await settled(callout);
    expect(numbersIn(found)).toEqual({ recalled: 1 });
    await eventually(() => Date.now() > Date.parse(expires_at));
    // Each change makes the program look at the callout.
    await api.patch(`/api/callouts/${callout}`, { metadata: { changed: 'yes' } });
    const other = await startCallout(api, group, plan);
    await waitForCalls(other, 'ringing');
    expect(await receipt(callout)).toEqual(found);
    await send(other, { event: 'stop' });
  });

  it('shows a person who answered all the same', async () => {
    const { group } = await createPeople(rings);
    const callout = await startCallout(api, group, plan);
    await waitForCalls(callout, 'ringing');
    await send(callout, { event: 'stop' });
    await settled(callout);
    const { body } = await api.get(`/api/callouts/${callout}/phone_calls`);
    const [call] = body as unknown as Body[];
    await installation.query(
      `UPDATE phone_calls SET status = 'completed', remote_status = 'completed' WHERE id = ${call!.id}`,
    );
    expect(numbersIn(await receipt(callout))).toEqual({ answered_before: 1 });
    await installation.query(
      `UPDATE phone_calls SET status = 'canceled', remote_status = 'canceled' WHERE id = ${call!.id}`,
    );
  });

  it('rejects options of other events, and a receipt is 404 before the first stop', async () => {
    const callout = await api.createCallout();
    expect((await api.get(`/api/callouts/${callout}/recall`)).status).toBe(404);
    expect((await api.get('/api/callouts/999999/recall')).status).toBe(404);
    for (const [body, field] of [
      [{ event: 'start', hang_up: true }, 'hang_up'],
      [{ event: 'pause', hang_up: true }, 'hang_up'],
      [{ event: 'stop', recall: true }, 'recall'],
      [{ event: 'stop', hang_up: 'maybe' }, 'hang_up'],
      [{ event: 'stop', hangup: true }, 'hangup'],
    ] as const) {
      const { status, body: answer } = await send(callout, body);
      expect([status, Object.keys(answer.errors)]).toEqual([422, [field]]);
    }
    await send(callout, { event: 'stop' });
    expect(await receipt(callout)).toMatchObject({ settled: true, not_dialed: 0, done_before: 0 });
    expect((await api.delete(`/api/callouts/${callout}`)).status).toBe(204);
  });
});

describe('a pause', () => {
  it('recalls only on request, and the people wait to be called again', async () => {
    const { group, phones } = await createPeople(rings);
    const callout = await startCallout(api, group, { max_attempts: 1 });
    await waitForCalls(callout, 'ringing');
    await sendCalloutEvent(api, callout, 'pause');
    expect((await api.get(`/api/callouts/${callout}/recall`)).status).toBe(404);
    await sendCalloutEvent(api, callout, 'resume');
    await send(callout, { event: 'pause', recall: true });
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 1 });
    expect(await outcomesOf(callout)).toEqual(['waiting']);
    await setPersonBehavior(api, phones[0]!, { ring: 0, hangsUpAtOnce: true });
    await sendCalloutEvent(api, callout, 'resume');
    await waitForStatus(api, callout, 'completed');
    expect(await outcomesOf(callout)).toEqual(['answered']);
  });
});

describe('a call whose claim was released', () => {
  it('is asked for no more, and nobody was called', async () => {
    const { group } = await createPeople(rings);
    const callout = await startCallout(api, group, plan);
    await waitForCalls(callout, 'ringing');
    await send(callout, { event: 'pause', recall: true });
    await settled(callout);
    await installation.query(`UPDATE phone_calls SET status = 'queued', lease_token = NULL, dialled_at = NULL,
        remote_call_id = NULL, remote_status = NULL, remotely_queued_at = NULL, sequence_number = NULL, ended_at = NULL
      WHERE callout_id = ${callout}`);
    const recalled = `recall_id IN (SELECT id FROM recalls WHERE callout_id = ${callout})`;
    await installation.query(`UPDATE recalled_calls SET due_at = '2026-01-01T00:00:00.000Z' WHERE ${recalled}`);
    await eventually(async () => {
      const [row] = await installation.query<{ due_at: unknown }>(
        `SELECT due_at FROM recalled_calls WHERE ${recalled}`,
      );
      return row!.due_at === null;
    });
    expect(numbersIn(await receipt(callout))).toEqual({ not_dialed: 1 });
    await send(callout, { event: 'stop' });
    await waitForCalls(callout, 'canceled');
  });
});

describe.runIf(way === 'cluster')('a recall on PostgreSQL', () => {
  const waitForLock = (): Promise<unknown> =>
    eventually(async () => {
      const waiting = await installation.query(`SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`);
      return waiting.length > 0;
    });

  it('locks the calls before the callout, as the results of dials do', async () => {
    const { group } = await createPeople(rings);
    const callout = await startCallout(api, group, plan);
    await waitForCalls(callout, 'ringing');
    const other = await installation.connect();
    await other.query('BEGIN');
    await other.query(`SELECT 1 FROM phone_calls WHERE callout_id = ${callout} FOR UPDATE`);
    const stopped = send(callout, { event: 'stop' });
    await waitForLock();
    await other.query(`SELECT 1 FROM callouts WHERE id = ${callout} FOR NO KEY UPDATE NOWAIT`);
    await other.query('COMMIT');
    await other.close();
    expect((await stopped).status).toBe(201);
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 1 });
  });

  it('is not made by the expiry of a callout that is stopped meanwhile', async () => {
    const { group } = await createPeople(rings);
    const expires_at = new Date(Date.now() + 4_000).toISOString();
    const callout = await startCallout(api, group, plan, { expires_at });
    await waitForCalls(callout, 'ringing');
    const other = await installation.connect();
    await other.query('SET idle_in_transaction_session_timeout = 0');
    await other.query('BEGIN');
    // The lock of the callout's status (outcomes/lock-callout-status.ts).
    await other.query(`SELECT pg_advisory_xact_lock(720117005, ${callout})`);
    await waitForLock();
    await other.query(`UPDATE callouts SET status = 'stopped', stopped_at = now() WHERE id = ${callout}`);
    await other.query('COMMIT');
    await other.close();
    await api.patch(`/api/callouts/${callout}`, { metadata: { changed: 'yes' } });
    await eventually(async () => {
      const waiting = await installation.query(`SELECT 1 FROM callouts
        WHERE id = ${callout} AND outcomes_cursor IS NOT NULL`);
      return waiting.length === 0;
    });
    expect((await api.get(`/api/callouts/${callout}/recall`)).status).toBe(404);
  });
});

describe.runIf(way === 'embedded')('a recall on SQLite', () => {
  it('finds the calls under way by indexes', async () => {
    const statements: Sql[] = [];
    const query = async (statement: Sql) => {
      statements.push(statement);
      return [{ people: 0, done: 0, calls: null }];
    };
    const transaction = { query, insert: async () => 1 } as unknown as Transaction;
    await requestRecall(transaction, 1, { reason: 'stop', endStatus: 'canceled' });
    // The plan does not depend on the values.
    const statement = statements[0]!.sql.replaceAll('?', '1');
    const plan = JSON.stringify(await installation.query(`EXPLAIN QUERY PLAN ${statement}`));
    expect(plan).toContain('phone_calls_handed_out');
    expect(plan).not.toContain('SCAN phone_calls');
  });
});

describe('the expiry of a callout', () => {
  it('recalls the calls that the provider has', async () => {
    const { group } = await createPeople(rings, rings);
    const expires_at = new Date(Date.now() + 4_000).toISOString();
    const callout = await startCallout(api, group, plan, { expires_at });
    await waitForCalls(callout, 'ringing', 'ringing');
    await waitForStatus(api, callout, 'completed');
    const found = await settled(callout);
    expect(numbersIn(found)).toEqual({ recalled: 2 });
    expect(new Date(found.requested_at).getTime()).toBeGreaterThanOrEqual(Date.parse(expires_at));
    expect(await outcomesOf(callout)).toEqual(['expired', 'expired']);
  });
});

describe('a provider that fails', () => {
  it.each([['429'], ['500_before'], ['500_after']])(
    'with %s is asked again until the calls have ended',
    async (fault) => {
      const { group } = await createPeople(rings, rings, rings);
      const callout = await startCallout(api, group, plan);
      await waitForCalls(callout, 'ringing', 'ringing', 'ringing');
      await api.put('/simulator/faults', { create: { [fault]: 1 } });
      await send(callout, { event: 'stop' });
      await eventually(async () => {
        const [failed] = await installation.query<{ count: number | string }>(
          `SELECT count(*) AS count FROM recalled_calls WHERE error IS NOT NULL`,
        );
        return Number(failed!.count) > 0;
      });
      await api.delete('/simulator/faults');
      expect(numbersIn(await settled(callout))).toEqual({ recalled: 3 });
      await installation.query('UPDATE recalled_calls SET error = NULL');
    },
  );

  it('has its late response to an earlier request ignored, after another stop', async () => {
    const { group } = await createPeople(rings);
    const callout = await startCallout(api, group, plan);
    await waitForCalls(callout, 'ringing');
    await api.put('/simulator/faults', { create: { '500_before': 1 } });
    await send(callout, { event: 'stop' });
    const tries = async (): Promise<number> => {
      const [row] = await installation.query<{ tries: number | string }>(`SELECT max(tries) AS tries FROM recalled_calls
        WHERE recall_id IN (SELECT id FROM recalls WHERE callout_id = ${callout})`);
      return Number(row!.tries);
    };
    // A response belongs to the request with the same number.
    await eventually(async () => (await tries()) >= 2);
    const before = await tries();
    await send(callout, { event: 'stop', hang_up: true });
    expect(await tries()).toBeGreaterThan(before);
    await api.delete('/simulator/faults');
    await settled(callout);
  });

  it('is asked again after the clock of the database has stepped back', async () => {
    const { group } = await createPeople(rings);
    const callout = await startCallout(api, group, plan);
    await waitForCalls(callout, 'ringing');
    await api.put('/simulator/faults', { create: { '500_before': 1 } });
    await send(callout, { event: 'stop' });
    const recalled = `recall_id IN (SELECT id FROM recalls WHERE callout_id = ${callout})`;
    await eventually(
      async () =>
        (await installation.query(`SELECT 1 FROM recalled_calls WHERE ${recalled} AND error IS NOT NULL`)).length > 0,
    );
    await installation.query(`UPDATE recalled_calls SET due_at = '2099-01-01T00:00:00.000Z' WHERE ${recalled}`);
    await api.delete('/simulator/faults');
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 1 });
  });

  it('with a barred account shows in the health check that a stop cannot reach it', async () => {
    const { group } = await createPeople(rings);
    const callout = await startCallout(api, group, plan);
    await waitForCalls(callout, 'ringing');
    await api.put('/simulator/faults', { account: 20003 });
    await send(callout, { event: 'stop' });
    const telephony = await eventually(async () => {
      const { body } = await api.get('/health/ready');
      return body.details.telephony.recalling === 'paused' && body.details.telephony;
    });
    expect(telephony.recalling_reason).toContain('20003');
    expect(numbersIn(await receipt(callout))).toEqual({ pending: 1 });
    await api.delete('/simulator/faults');
    expect(numbersIn(await settled(callout))).toEqual({ recalled: 1 });
    await eventually(async () => (await api.get('/health/ready')).body.details.telephony.recalling === undefined);
  });
});
