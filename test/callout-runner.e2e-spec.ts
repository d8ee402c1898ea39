import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import type { Program } from './support/program.js';
import { providerEnvironment } from './support/provider-environment.js';
import {
  type StoredCall,
  callsAtProvider,
  personNumber,
  startCallout,
  storedCalls,
  storedParticipations,
  waitForStatus,
} from './support/self-running.js';
import { setPersonBehavior } from './support/simulated-calls.js';

/** The number of people of the large callout. */
const PEOPLE = way === 'embedded' ? 2_000 : 500;

/** The number of people of the callout that is disturbed all the time. */
const DISTURBED = way === 'embedded' ? 300 : 1_000;

let installation: Installation;
let program: Program;
let api: Api;
let numbers = 0;
let groups = 0;

beforeAll(async () => {
  installation = await Installation.create();
  program = await installation.start({
    ...providerEnvironment,
    SIMULATOR_SPEED: '1000',
    SIMULATOR_BUSY: '0.2',
    SIMULATOR_NO_ANSWER: '0.15',
    SIMULATOR_FAILED: '0.05',
    SIMULATOR_MACHINE: '0.1',
    SIMULATOR_CONFIRMS: '0.6',
    CALLS_PER_SECOND: '500',
    OPT_OUT_KEY: '9',
  });
  api = program.api;
});
afterAll(() => installation.remove());
afterAll(() => expectConsistentBookkeeping(installation));

/** Creates contacts of a new group, one for each ending of a number. @returns the group, the numbers and the ids */
async function createGroup(endings: string[]): Promise<{ group: string; called: string[]; ids: number[] }> {
  const group = `g${++groups}`;
  const called = endings.map((ending) => personNumber(++numbers, ending));
  const ids = await api.createContacts(...called.map((msisdn) => ({ msisdn, metadata: { group } })));
  return { group, called, ids };
}

const callout = async (id: number): Promise<Body> => (await api.get(`/api/callouts/${id}`)).body;
const participations = (id: number) => storedParticipations(installation, id);
const calls = (id: number) => storedCalls(installation, id);
const outcomes = async (id: number): Promise<string[]> => (await participations(id)).map(({ outcome }) => outcome);

/** Waits until the participations of a callout have these outcomes, in their order. */
const waitForOutcomes = (id: number, expected: string[]) =>
  eventually(async () => JSON.stringify(await outcomes(id)) === JSON.stringify(expected));

function byPerson(all: readonly StoredCall[]): Map<number, StoredCall[]> {
  const groups = new Map<number, StoredCall[]>();
  for (const call of all) {
    const { callout_participation_id: id } = call;
    groups.set(id, [...(groups.get(id) ?? []), call]);
  }
  return groups;
}

/** What a call at the provider came to. The transcript tells a confirmation from an answer. */
async function resultAtProvider({ sid, status, answered_by }: Body): Promise<string> {
  if (status !== 'completed') return status === 'no-answer' ? 'not_answered' : status;
  if (answered_by === 'machine_start') return 'machine';
  const { body } = await api.get(`/simulator/calls/${sid}/transcript`);
  return body.some(({ pressed }: Body) => pressed === '1') ? 'confirmed' : 'answered';
}

/** @returns what the calls at the provider came to, oldest first, by the called number */
async function resultsAtProvider(): Promise<Map<string, string[]>> {
  const results = new Map<string, string[]>();
  const waiting = [...(await callsAtProvider(api))];
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [msisdn, placed] = next;
      results.set(msisdn, await Promise.all(placed.map(resultAtProvider)));
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return results;
}

describe(`a callout of ${PEOPLE} people`, () => {
  const maxAttempts = 4;
  const retries: Record<string, { max: number; after: number[] }> = {
    busy: { max: 2, after: [1, 2] },
    not_answered: { max: 1, after: [1] },
    machine: { max: 1, after: [2] },
    failed: { max: 1, after: [1] },
    answered: { max: 1, after: [1] },
  };

  /** @returns whether the plan has another attempt after these results */
  function isRetried(results: string[]): boolean {
    const last = results.at(-1)!;
    const retry = retries[last];
    return results.length < maxAttempts && !!retry && results.filter((result) => result === last).length <= retry.max;
  }

  it('reaches whom it can: each outcome is what the calls at the provider came to', async () => {
    await installation.insertContacts(PEOPLE);
    // The provider refuses these.
    const refused = await createGroup(['9921', '9921', '9921']);
    const audience = { contact_filter_params: { metadata: { many: 'yes' } } };
    await installation.query(`UPDATE contacts SET metadata = '{"many":"yes"}' WHERE msisdn LIKE '%9921'`);
    const remote_request_params = { from: '2442', machine_detection: 'Enable' };
    const plan = { remote_request_params, until: 'confirmed', max_attempts: maxAttempts, retries };
    const id = await startCallout(api, refused.group, plan, { audience });
    const completed = await waitForStatus(api, id, 'completed', 240_000);
    expect(completed).toMatchObject({ completed_at: expect.any(String), held_because: null });

    const placed = await resultsAtProvider();
    const people = await participations(id);
    expect(people).toHaveLength(PEOPLE + 3);
    const counts = new Map<string, number>();
    const wrong: unknown[] = [];
    for (const { msisdn, outcome, attempts, next_call_at, waiting_for } of people) {
      const results = placed.get(msisdn) ?? [];
      const before = results.slice(0, -1);
      const expected = results.includes('confirmed')
        ? 'confirmed'
        : results.includes('answered')
          ? 'answered'
          : (results.at(-1) ?? 'errored');
      const isRight =
        outcome === expected &&
        attempts === Math.max(1, results.length) &&
        next_call_at === null &&
        waiting_for === null &&
        !before.includes('confirmed') &&
        before.every((_, index) => isRetried(results.slice(0, index + 1))) &&
        (results.length === 0 || outcome === 'confirmed' || !isRetried(results));
      if (!isRight) wrong.push({ msisdn, outcome, expected, attempts, results });
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    expect(wrong).toEqual([]);
    // Otherwise the test says nothing about an outcome.
    const often = ['answered', 'busy', 'confirmed', 'errored', 'not_answered'];
    expect(often.filter((one) => !counts.has(one))).toEqual([]);

    const all = await calls(id);
    const tooEarly: unknown[] = [];
    for (const attempts of byPerson(all).values()) {
      expect(attempts.map(({ attempt }) => attempt)).toEqual(attempts.map((_, index) => index + 1));
      for (const [index, { ended_at: ended, msisdn }] of attempts.slice(0, -1).entries()) {
        const results = placed.get(msisdn)!.slice(0, index + 1);
        const last = results.at(-1)!;
        const { after } = retries[last]!;
        const seconds = after[Math.min(results.filter((one) => one === last).length, after.length) - 1]!;
        const pause = attempts[index + 1]!.dialled_at!.getTime() - ended!.getTime();
        if (pause < 0.9 * seconds * 1_000) tooEarly.push({ msisdn, results, pause });
      }
    }
    expect(tooEarly).toEqual([]);
  }, 300_000);

  it('completes at once without people', async () => {
    const id = await startCallout(api, 'nobody', {});
    const { started_at, completed_at } = await waitForStatus(api, id, 'completed');
    expect(Date.parse(completed_at)).toBeGreaterThanOrEqual(Date.parse(started_at));
    expect(await participations(id)).toEqual([]);
  });
});

describe('the time of a callout', () => {
  it('ends at expires_at: nobody is dialed afterwards, and it completes by itself', async () => {
    const { group } = await createGroup([...Array<string>(20).fill('9902'), ...Array<string>(100).fill('9900')]);
    const expiry = Date.now() + 2_500;
    const plan = { calls_per_second: 20, retries: { busy: { max: 3, after: [1] } } };
    const id = await startCallout(api, group, plan, { expires_at: new Date(expiry).toISOString() });
    const { completed_at } = await waitForStatus(api, id, 'completed');
    expect(Date.parse(completed_at)).toBeGreaterThanOrEqual(expiry);
    const people = byPerson(await calls(id));
    const expected = (await participations(id)).map(({ id: one, msisdn }) => {
      const dialed = (people.get(one) ?? []).filter(({ dialled_at }) => dialled_at !== null);
      for (const { dialled_at } of dialed) expect(dialled_at!.getTime()).toBeLessThan(expiry);
      if (dialed.length === 0) return 'expired';
      return msisdn.endsWith('9902') ? 'busy' : 'answered';
    });
    expect(await outcomes(id)).toEqual(expected);
    expect(new Set(expected)).toEqual(new Set(['busy', 'answered', 'expired']));
  });

  it('is over only when no call is under way any more', async () => {
    await api.put('/simulator/faults', { queue_seconds: 2_000 });
    const { group } = await createGroup(['9900']);
    const id = await startCallout(api, group, {});
    await eventually(async () => (await calls(id))[0]?.status === 'remotely_queued');
    await api.delete('/simulator/faults');
    await expire(id);
    const { completed_at } = await waitForStatus(api, id, 'completed');
    const [call] = await calls(id);
    expect(call!.ended_at!.getTime()).toBeLessThanOrEqual(Date.parse(completed_at));
    // The expiry has recalled the call.
    expect(await outcomes(id)).toEqual(['expired']);
  });

  it.each(['initialized', 'paused'])('ends for the people of a callout that is %s, too', async (status) => {
    const { ids } = await createGroup(['9900', '9900']);
    const { body } = await api.post('/api/callouts', { dial_plan: { remote_request_params: { from: '2442' } } });
    for (const contact_id of ids) await api.post(`/api/callouts/${body.id}/callout_participations`, { contact_id });
    if (status === 'paused') await sendCalloutEvent(api, body.id, 'pause');
    await expire(body.id);
    await waitForOutcomes(body.id, ['expired', 'expired']);
    expect((await callout(body.id)).status).toBe(status);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    await api.patch(`/api/callouts/${body.id}`, { expires_at: later });
    await waitForOutcomes(body.id, ['waiting', 'waiting']);
  });

  it('begins at starts_at', async () => {
    const { group } = await createGroup(['9900', '9900']);
    const id = await startCallout(api, group, {}, { starts_at: '2099-01-01' });
    await waitForOutcomes(id, ['waiting', 'waiting']);
    expect(await callout(id)).toMatchObject({ status: 'scheduled', started_at: null });
    expect(await calls(id)).toEqual([]);
    await installation.query(`UPDATE callouts SET starts_at = '2020-01-01T00:00:00.000Z' WHERE id = ${id}`);
    expect(await waitForStatus(api, id, 'completed')).toMatchObject({ started_at: expect.any(String) });
    expect(await outcomes(id)).toEqual(['answered', 'answered']);
  });

  it('is over for a scheduled callout that nothing started in time', async () => {
    const { group } = await createGroup(['9900']);
    const id = await startCallout(api, group, {}, { starts_at: '2099-01-01', expires_at: '2099-01-02' });
    await waitForOutcomes(id, ['waiting']);
    await installation.query(`UPDATE callouts SET starts_at = '2020-01-01T00:00:00.000Z',
      expires_at = '2020-01-02T00:00:00.000Z' WHERE id = ${id}`);
    await waitForStatus(api, id, 'completed');
    expect(await outcomes(id)).toEqual(['expired']);
    expect(await calls(id)).toEqual([]);
  });
});

describe('a callout that is over', () => {
  const add = async (id: number): Promise<Body> => {
    const [contact_id] = await api.createContacts({ msisdn: personNumber(++numbers, '9900') });
    return (await api.post(`/api/callouts/${id}/callout_participations`, { contact_id })).body;
  };

  it('because it completed calls nobody who is added, and no call by hand, before it is resumed', async () => {
    const id = await startCallout(api, 'nobody', {});
    await waitForStatus(api, id, 'completed');
    const { id: called } = await add(id);
    await sendCalloutEvent(api, id, 'resume');
    await waitForStatus(api, id, 'completed');
    expect((await add(id)).outcome).toBe('canceled');
    const { group } = await createGroup(['9900']);
    const parameters = { contact_filter_params: { metadata: { group } } };
    const operation = { type: 'BatchOperation::CalloutPopulation', parameters };
    await api.runBatchOperation((await api.post(`/api/callouts/${id}/batch_operations`, operation)).body.id);
    const params = { remote_request_params: { from: '2442' } };
    const { body: call } = await api.post(`/api/callout_participations/${called}/phone_calls`, params);
    await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue');
    const canceled = await eventually(async () => {
      const { body } = await api.get(`/api/phone_calls/${call.id}`);
      return body.status === 'canceled' && body;
    });
    expect(canceled.remote_error_message).toBe('The callout is completed: nobody was called.');
    expect(await outcomes(id)).toEqual(['answered', 'canceled', 'canceled']);
    await sendCalloutEvent(api, id, 'resume');
    await waitForOutcomes(id, ['answered', 'answered', 'answered']);
    await waitForStatus(api, id, 'completed');
    // Once it is completed, its time is over for nobody.
    const expiry = new Date().toISOString();
    await installation.query(`UPDATE callouts SET expires_at = '${expiry}' WHERE id = ${id}`);
    await add(id);
    expect(await outcomes(id)).toEqual(['answered', 'answered', 'answered', 'canceled']);
  });

  it('because its time is over calls nobody who is added', async () => {
    const id = await startCallout(api, 'nobody', {}, { starts_at: '2099-01-01' });
    await expire(id);
    expect((await add(id)).outcome).toBe('expired');
    await installation.query(`UPDATE callouts SET starts_at = '2020-01-01T00:00:00.000Z' WHERE id = ${id}`);
    await waitForStatus(api, id, 'completed');
    expect((await add(id)).outcome).toBe('expired');
  });

  it('calls or cancels each of those who are added while it completes', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => startCallout(api, 'nobody', {})));
    await Promise.all(ids.map(add));
    await Promise.all(ids.map((id) => waitForStatus(api, id, 'completed')));
    const all = (await Promise.all(ids.map(outcomes))).flat();
    expect(all.filter((one) => !['answered', 'canceled'].includes(one))).toEqual([]);
  });
});

/** Ends the time of a callout. */
const expire = (id: number) =>
  installation.query(`UPDATE callouts SET expires_at = '2020-01-01T00:00:00.000Z' WHERE id = ${id}`);

describe('between two attempts', () => {
  it('who opts out by key is not called again', async () => {
    const { group, called } = await createGroup(['0000', '0000']);
    await setPersonBehavior(api, called[0]!, { keys: ['9'] });
    await setPersonBehavior(api, called[1]!, { keys: [] });
    const plan = { until: 'confirmed', retries: { answered: { max: 1, after: [1] } } };
    const id = await startCallout(api, group, plan);
    await waitForStatus(api, id, 'completed');
    const [one, other] = await participations(id);
    expect([one, other]).toMatchObject([
      { outcome: 'answered', attempts: 1 },
      { outcome: 'answered', attempts: 2 },
    ]);
    const atProvider = await callsAtProvider(api);
    expect(called.map((msisdn) => atProvider.get(msisdn)?.length)).toEqual([1, 2]);
  });

  it('who opts out by a change of the contact is not called again', async () => {
    const { group, called, ids } = await createGroup(['9902', '9902']);
    const id = await startCallout(api, group, { max_attempts: 2, retries: { busy: { max: 1, after: [2] } } });
    await waitForOutcomes(id, ['retrying', 'retrying']);
    await api.patch(`/api/contacts/${ids[0]}`, { metadata: { do_not_call: true } });
    await waitForStatus(api, id, 'completed');
    const people = await participations(id);
    expect(people.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([
      ['busy', 1],
      ['busy', 2],
    ]);
    const atProvider = await callsAtProvider(api);
    expect(called.map((msisdn) => atProvider.get(msisdn)?.length)).toEqual([1, 2]);
  });

  it('who opts out before the first attempt is not called at all', async () => {
    const { ids } = await createGroup(['9900', '9900']);
    const { body } = await api.post('/api/callouts', { dial_plan: { remote_request_params: { from: '2442' } } });
    for (const contact_id of ids) await api.post(`/api/callouts/${body.id}/callout_participations`, { contact_id });
    await api.patch(`/api/contacts/${ids[0]}`, { metadata: { do_not_call: true } });
    await sendCalloutEvent(api, body.id, 'start');
    await waitForStatus(api, body.id, 'completed');
    expect(await participations(body.id)).toMatchObject([
      { outcome: 'opted_out', attempts: 0 },
      { outcome: 'answered', attempts: 1 },
    ]);
  });

  it('a stop ends all, and a resumption calls who was not called, and nobody who was', async () => {
    // More people than are queued ahead.
    const endings = ['9900', '9902', ...Array<string>(110).fill('9900')];
    const { group } = await createGroup(endings);
    const plan = { remote_request_params: { from: '2442' }, retries: { busy: { max: 1, after: [3_600] } } };
    const id = await startCallout(api, group, { ...plan, calls_per_second: 0.8 });
    await eventually(async () => (await outcomes(id)).includes('retrying'));
    const started = await outcomes(id);
    for (const one of ['answered', 'retrying', 'calling', 'waiting']) expect(started).toContain(one);
    await sendCalloutEvent(api, id, 'stop');
    await eventually(async () => (await outcomes(id)).every((one) => ['answered', 'busy', 'canceled'].includes(one)));
    const called = (await participations(id)).filter(({ attempts }) => attempts > 0);
    expect(called.map(({ outcome }) => outcome).toSorted()).toEqual([
      ...Array<string>(called.length - 1).fill('answered'),
      'busy',
    ]);
    expect(called.length).toBeLessThan(50);

    await api.patch(`/api/callouts/${id}`, { dial_plan: plan });
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await outcomes(id)).every((one) => ['answered', 'retrying'].includes(one)));
    const people = await participations(id);
    expect(people.map(({ attempts }) => attempts)).toEqual(endings.map(() => 1));
    const atProvider = await callsAtProvider(api);
    for (const { msisdn } of people) expect(atProvider.get(msisdn)).toHaveLength(1);
    expect((await callout(id)).status).toBe('running');
  });
});

describe('an audience with keep_adding', () => {
  it('finds the people who register while the callout runs', async () => {
    const { group } = await createGroup(['9902']);
    const audience = { contact_filter_params: { metadata: { group } }, keep_adding: true };
    const id = await startCallout(api, group, { retries: { busy: { max: 1, after: [3_600] } } }, { audience });
    await waitForOutcomes(id, ['retrying']);
    await api.createContacts({ msisdn: personNumber(++numbers, '9900'), metadata: { group } });
    await letMinutePass(id);
    await waitForOutcomes(id, ['retrying', 'answered']);
    expect((await callout(id)).status).toBe('running');
  });

  it('calls who registered during the last call, before the callout completes', async () => {
    const { group } = await createGroup(['9900']);
    const audience = { contact_filter_params: { metadata: { group } }, keep_adding: true };
    await api.put('/simulator/faults', { queue_seconds: 2_000 });
    const id = await startCallout(api, group, {}, { audience });
    for (const count of [1, 2]) {
      await eventually(async () => (await calls(id))[count - 1]?.status === 'remotely_queued');
      await api.createContacts({ msisdn: personNumber(++numbers, '9900'), metadata: { group } });
    }
    await api.delete('/simulator/faults');
    await waitForStatus(api, id, 'completed');
    expect(await outcomes(id)).toEqual(['answered', 'answered', 'answered']);
    const queued = await installation.query<{ created_at: string | Date }>(
      `SELECT created_at FROM events WHERE type = 'batch_operation.queued'
        AND resource_id IN (SELECT id FROM batch_operations WHERE callout_id = ${id}) ORDER BY id`,
    );
    // After the first one, which was new: one for each person who registered, and one that found nobody.
    expect(queued).toHaveLength(3);
    const lastEnd = (await calls(id)).at(-1)!.ended_at!;
    expect(new Date(queued.at(-1)!.created_at).getTime()).toBeGreaterThanOrEqual(lastEnd.getTime());
  });
});

/** Makes the last run of the populations of a callout look older than a minute. */
const letMinutePass = (id: number) =>
  installation.query(
    `UPDATE batch_operations SET updated_at = '2020-01-01T00:00:00.000Z'
      WHERE callout_id = ${id} AND status = 'finished'`,
  );

describe('configuration trouble in the middle of a run', () => {
  it('holds the callout, uses up no attempt, and resume finishes the job', async () => {
    const { group } = await createGroup([...Array<string>(150).fill('9900'), ...Array<string>(50).fill('9902')]);
    const plan = { max_attempts: 2, retries: { busy: { max: 1, after: [1] } }, calls_per_second: 50 };
    const id = await startCallout(api, group, plan);
    const dialed = async () => (await participations(id)).filter(({ attempts }) => attempts > 0).length;
    await eventually(async () => (await dialed()) >= 40);
    await api.put('/simulator/faults', { account: 21205 });
    const { held_because } = await waitForStatus(api, id, 'paused');
    expect(held_because).toContain('(21205)');
    // The calls that were refused are queued again.
    await eventually(async () => (await calls(id)).every(({ status }) => !['errored', 'in_progress'].includes(status)));
    const held = await participations(id);
    const placed = await callsAtProvider(api);
    expect(held.map(({ attempts }) => attempts)).toEqual(held.map(({ msisdn }) => placed.get(msisdn)?.length ?? 0));
    expect(held.filter(({ attempts }) => attempts === 0).length).toBeGreaterThan(50);
    await api.delete('/simulator/faults');
    await sendCalloutEvent(api, id, 'resume');
    await waitForStatus(api, id, 'completed');
    const people = await participations(id);
    expect(people.map(({ outcome, attempts }) => [outcome, attempts])).toEqual(
      people.map(({ msisdn }) => (msisdn.endsWith('9902') ? ['busy', 2] : ['answered', 1])),
    );
    const attempts = (await calls(id)).map(({ attempt }) => attempt);
    expect(attempts.toSorted()).toEqual([...Array(200).fill(1), ...Array(50).fill(2)]);
  });
});

describe('a call that does not come from the plan', () => {
  const message = 'Another call was made to the person: nobody was called.';
  const canceled = (id: number) =>
    installation.query<{ count: number | string }>(
      `SELECT count(*) AS count FROM phone_calls WHERE callout_id = ${id} AND status = 'canceled'
        AND remote_error_message = '${message}'`,
    );

  /** Waits until attempts are queued that the pace of the plan holds back. @returns the callout and its people */
  async function startSlowly(endings: string[], plan: object): Promise<{ id: number; people: number[] }> {
    const { group } = await createGroup(['9900', ...endings]);
    const id = await startCallout(api, group, { ...plan, calls_per_second: 0.01 });
    await waitForOutcomes(id, ['answered', ...endings.map(() => 'calling')]);
    return { id, people: (await participations(id)).slice(1).map(({ id: one }) => one) };
  }

  it.each([
    ['reached the person', '9900', 'answered', [0]],
    ['was busy: the plan goes on after its pause', '9902', 'busy', [0, 2]],
  ] as const)('ends the attempt that waits when it %s', async (_, ending, outcome, attempts) => {
    const plan = {
      remote_request_params: { from: '2442' },
      max_attempts: 2,
      retries: { busy: { max: 1, after: [2] } },
    };
    const { id, people } = await startSlowly([ending], plan);
    const path = `/api/callout_participations/${people[0]}/phone_calls`;
    const { body: made } = await api.post(path, { remote_request_params: { from: '2442' } });
    await api.post(`/api/phone_calls/${made.id}/phone_call_events`, 'event=queue');
    await api.patch(`/api/callouts/${id}`, { dial_plan: plan });
    await waitForStatus(api, id, 'completed');
    expect(await outcomes(id)).toEqual(['answered', outcome]);
    expect(Number((await canceled(id))[0]!.count)).toBe(1);
    const dialed = (await calls(id)).filter((one) => one.callout_participation_id === people[0] && one.dialled_at);
    expect(dialed.map(({ attempt }) => attempt ?? 0)).toEqual(attempts);
    if (dialed.length < 2) return;
    expect(dialed[1]!.dialled_at!.getTime() - dialed[0]!.ended_at!.getTime()).toBeGreaterThanOrEqual(1_800);
  });

  it('never rings together with an attempt: a batch operation queues calls while attempts are made', async () => {
    const { group } = await createGroup([...Array<string>(60).fill('9902'), ...Array<string>(60).fill('9900')]);
    const plan = { max_attempts: 3, retries: { busy: { max: 2, after: [0] } } };
    const id = await startCallout(api, group, plan, { starts_at: '2099-01-01' });
    await eventually(async () => (await participations(id)).length === 120);
    const path = `/api/callouts/${id}/batch_operations`;
    for (let n = 0; n < 2; n++) {
      const parameters = { remote_request_params: { from: '2442' } };
      const made = await api.post(path, { type: 'BatchOperation::PhoneCallCreate', parameters });
      await api.runBatchOperation(made.body.id);
    }
    await api.put('/simulator/faults', { queue_seconds: 300 });
    const { body: queueing } = await api.post(path, { type: 'BatchOperation::PhoneCallQueue', parameters: {} });
    await Promise.all([
      sendCalloutEvent(api, id, 'start'),
      api.post(`/api/batch_operations/${queueing.id}/batch_operation_events`, { event: 'queue' }),
    ]);
    await waitForStatus(api, id, 'completed');
    await api.delete('/simulator/faults');
    const together: unknown[] = [];
    for (const ofPerson of byPerson(await calls(id)).values()) {
      const dialed = ofPerson.filter(({ dialled_at }) => dialled_at !== null);
      for (const attempt of dialed.filter(({ attempt: number }) => number !== null)) {
        for (const other of dialed.filter((one) => one !== attempt)) {
          if (attempt.dialled_at! < other.ended_at! && other.dialled_at! < attempt.ended_at!)
            together.push({ attempt, other });
        }
      }
    }
    expect(together).toEqual([]);
    expect(new Set(await outcomes(id))).toEqual(new Set(['busy', 'answered']));
  });
});

describe('a callout that is disturbed all the time', () => {
  it('has no deadlock and no failed request, and its outcomes are right', async () => {
    const { group, ids } = await createGroup(Array<string>(DISTURBED).fill('0000'));
    const plan = {
      until: 'confirmed',
      retries: {
        busy: { max: 2, after: [0, 1] },
        not_answered: { max: 2, after: [0] },
        answered: { max: 1, after: [0] },
      },
    };
    const id = await startCallout(api, group, plan, {
      audience: { contact_filter_params: { metadata: { group } }, keep_adding: true },
    });
    await eventually(async () => (await participations(id)).length === DISTURBED);
    const people = (await participations(id)).map(({ id: one }) => one);
    const failed: unknown[] = [];
    const send = async (method: string, path: string, body: object) => {
      const { status, text } = await api.send(method, path, body);
      if (status >= 500) failed.push({ method, path, status, text });
    };
    const windows = { call_windows: [{ from: '00:00', to: '24:00' }] };
    const params = { remote_request_params: { from: '2442' } };
    const actions: ((n: number) => Promise<void>)[] = [
      (n) => send('PATCH', `/api/contacts/${ids[(n * 7) % ids.length]}`, { metadata: { do_not_call: n % 4 === 0 } }),
      (n) => send('PATCH', `/api/contacts/${ids[(n * 11) % ids.length]}`, { metadata: { n: String(n) } }),
      (n) => send('PATCH', `/api/callout_participations/${people[(n * 13) % people.length]}`, { metadata: { n } }),
      (n) =>
        send('PATCH', `/api/callout_participations/${people[(n * 17) % people.length]}`, {
          metadata: { confirmed_at: n % 2 === 0 ? 'x' : null },
        }),
      () => send('POST', `/api/callouts/${id}/callout_events`, { event: 'stop' }),
      () => send('POST', `/api/callouts/${id}/callout_events`, { event: 'resume' }),
      () => send('POST', `/api/callouts/${id}/callout_events`, { event: 'pause' }),
      () => send('POST', `/api/callouts/${id}/callout_events`, { event: 'resume' }),
      (n) => send('PATCH', `/api/callouts/${id}`, { dial_plan: { ...plan, ...params, ...(n % 2 && windows) } }),
      async (n) => {
        const path = `/api/callout_participations/${people[(n * 19) % people.length]}/phone_calls`;
        const { body } = await api.post(path, { remote_request_params: { from: '2442' } });
        await send('POST', `/api/phone_calls/${body.id}/phone_call_events`, { event: 'queue' });
      },
    ];
    const act = async (first: number) => {
      for (let n = first; n < 400; n += 8) await actions[n % actions.length]!(n);
    };
    await Promise.all(Array.from({ length: 8 }, (_, first) => act(first)));
    expect(failed).toEqual([]);
    await send('POST', `/api/callouts/${id}/callout_events`, { event: 'resume' });
    await api.patch(`/api/callouts/${id}`, {
      dial_plan: { ...plan, ...params },
      audience: { contact_filter_params: { metadata: { group } } },
    });
    await waitForStatus(api, id, 'completed', 120_000);
    await expectConsistentBookkeeping(installation);
    const open = ['waiting', 'calling', 'retrying', 'uncertain', 'canceled', 'expired'];
    expect((await outcomes(id)).filter((one) => open.includes(one))).toEqual([]);
    for (const ofPerson of byPerson(await calls(id)).values()) {
      const attempts = ofPerson.flatMap(({ attempt }) => attempt ?? []);
      expect(attempts).toEqual(attempts.map((_, index) => index + 1));
    }
    expect(program.output).not.toMatch(/deadlock/i);
    if (way !== 'cluster') return;
    const [row] = await installation.query<{ deadlocks: string | number }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(Number(row!.deadlocks)).toBe(0);
  }, 240_000);
});
