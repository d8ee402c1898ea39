import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import {
  type StoredCall,
  personNumber,
  startCallout,
  storedCalls,
  storedParticipations,
  waitForStatus,
} from './support/self-running.js';

import { callIn } from './support/simulated-calls.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const speed = { SIMULATOR_SPEED: '1000', CALLS_PER_SECOND: '400' };
const params = { remote_request_params: { from: '2442' } };

let installation: Installation;
let api: Api;
let numbers = 0;
let groups = 0;

/** Starts a program for the tests of a block. */
function useProgram(settings: Record<string, string>): void {
  beforeAll(async () => {
    installation = await Installation.create();
    api = (await installation.start({ ...speed, ...settings })).api;
  });
  afterEach(() => api.delete('/simulator/faults'));
  afterAll(() => installation.remove());
  afterAll(() => expectConsistentBookkeeping(installation));
}

const number = (ending = '9900') => personNumber(++numbers, ending);

/** Creates contacts. @returns their group */
async function createGroup(all: string[], metadata: object = {}): Promise<string> {
  const group = `g${++groups}`;
  await api.createContacts(...all.map((msisdn) => ({ msisdn, metadata: { ...metadata, group } })));
  return group;
}

/** Creates a callout with a plan whose calls come from hands only: it is not started. @returns it and its people */
async function createByHand(dial_plan: object, people: number): Promise<{ id: number; people: number[] }> {
  const { body } = await api.post('/api/callouts', { dial_plan });
  const ids: number[] = [];
  for (let n = 0; n < people; n++) {
    const [contact_id] = await api.createContacts({ msisdn: number() });
    const path = `/api/callouts/${body.id}/callout_participations`;
    ids.push((await api.post(path, { contact_id })).body.id);
  }
  return { id: body.id, people: ids };
}

async function createCallByHand(participation: number): Promise<number> {
  return (await api.post(`/api/callout_participations/${participation}/phone_calls`, params)).body.id;
}

const queue = (call: number) => api.post(`/api/phone_calls/${call}/phone_call_events`, 'event=queue');
const people = (id: number) => storedParticipations(installation, id);
const calls = (id: number) => storedCalls(installation, id);
const dialed = async (id: number) => (await calls(id)).filter(({ dialled_at }) => dialled_at !== null);
const shown = async (id: number): Promise<Body[]> => (await api.get(`/api/callouts/${id}/callout_participations`)).body;

/** Waits until everybody in a callout is held back for this reason. @returns the participations as JSON */
const waitUntilHeld = (id: number, reason: string, count = 1): Promise<Body[]> =>
  shownWhen(id, (all) => all.length === count && all.every(({ waiting_for }) => waiting_for === reason));

/** Waits until the participations of a callout meet a condition. @returns them as JSON */
async function shownWhen(id: number, condition: (all: Body[]) => boolean): Promise<Body[]> {
  let all: Body[] = [];
  await eventually(async () => condition((all = await shown(id))));
  return all;
}

/** @returns the start of a minute that is so far away from now */
const minuteIn = (milliseconds: number) => Math.floor((Date.now() + milliseconds) / MINUTE) * MINUTE;

/** @returns a window between two instants, as UTC has them */
const windowBetween = (from: number, to: number) => {
  const time = (at: number) => new Date(at).toISOString().slice(11, 16);
  return { from: time(from), to: time(to) };
};

describe('outside the call windows', () => {
  useProgram({ INBOUND_CALL_FLOW_LOGIC: 'CallFlowLogic::Registration' });

  it('nobody is dialed, and who waits says until when; an opened window lets them go', async () => {
    const opening = minuteIn(3 * HOUR);
    const call_windows = [windowBetween(opening, opening + HOUR)];
    const group = await createGroup([number(), number(), number()]);
    const id = await startCallout(api, group, { ...params, call_windows });
    for (const one of await waitUntilHeld(id, 'window', 3)) {
      expect(one).toMatchObject({ outcome: 'waiting', attempts: 0, next_call_at: new Date(opening).toISOString() });
    }
    expect(await calls(id)).toEqual([]);
    expect(await api.listIds(`/api/callouts/${id}/callout_participations?q[waiting_for]=window`)).toHaveLength(3);
    const later = opening + HOUR;
    await api.patch(`/api/callouts/${id}`, {
      dial_plan: { ...params, call_windows: [windowBetween(later, later + HOUR)] },
    });
    await eventually(async () => (await people(id)).every((one) => one.next_call_at?.getTime() === later));
    expect(await calls(id)).toEqual([]);
    await api.patch(`/api/callouts/${id}`, { dial_plan: params });
    await waitForStatus(api, id, 'completed');
    expect((await people(id)).map(({ attempts, waiting_for }) => [attempts, waiting_for])).toEqual(
      Array(3).fill([1, null]),
    );
  });

  it('nobody is called again, either, and an opened window does not shorten the pause', async () => {
    const group = await createGroup([number('9902')]);
    const retries = { busy: { max: 1, after: [0] } };
    const id = await startCallout(api, group, { ...params, retries, call_windows: [{ from: '00:00', to: '24:00' }] });
    await waitForStatus(api, id, 'completed');
    const opening = minuteIn(3 * HOUR);
    const call_windows = [windowBetween(opening, opening + HOUR)];
    const more = { busy: { max: 3, after: [0] } };
    await api.patch(`/api/callouts/${id}`, { dial_plan: { ...params, max_attempts: 4, retries: more, call_windows } });
    await sendCalloutEvent(api, id, 'resume');
    const [held] = await waitUntilHeld(id, 'window');
    expect(held).toMatchObject({ outcome: 'retrying', attempts: 2, next_call_at: new Date(opening).toISOString() });
    const long = { busy: { max: 3, after: [3_600] } };
    await api.patch(`/api/callouts/${id}`, { dial_plan: { ...params, max_attempts: 4, retries: long } });
    const last = (await calls(id)).at(-1)!.ended_at!.getTime();
    const [pausing] = await shownWhen(id, ([one]) => one.waiting_for === null);
    expect(Date.parse(pausing.next_call_at) - last).toBeGreaterThanOrEqual(0.9 * HOUR);
    expect(Date.parse(pausing.next_call_at) - last).toBeLessThanOrEqual(1.1 * HOUR);
  });

  it('each person has the windows of the own time zone', async () => {
    const now = minuteIn(0);
    const zones = [{ zone: 'Asia/Phnom_Penh' }, { zone: 'Nowhere/City' }, {}];
    const group = `g${++groups}`;
    await api.createContacts(...zones.map((zone) => ({ msisdn: number(), metadata: { ...zone, group } })));
    const call_windows = [windowBetween(now - HOUR, now + HOUR)];
    const id = await startCallout(api, group, { ...params, call_windows, time_zone: 'Etc/UTC', time_zone_key: 'zone' });
    const areOthersAnswered = (all: Body[]) => all.filter(({ outcome }) => outcome === 'answered').length === 2;
    const [held, ...others] = await shownWhen(id, areOthersAnswered);
    // Phnom Penh is seven hours ahead of UTC, all the year.
    const opening = new Date(now - HOUR - 7 * HOUR + 24 * HOUR).toISOString();
    expect(held).toMatchObject({ outcome: 'waiting', waiting_for: 'window', next_call_at: opening, attempts: 0 });
    expect(others.map(({ attempts }: Body) => attempts)).toEqual([1, 1]);
    expect(await calls(id)).toHaveLength(2);
  });

  /** A plan whose windows are open now in UTC, but not in Phnom Penh, which is seven hours ahead. */
  const zonedPlan = (key: string) => {
    const now = minuteIn(0);
    const call_windows = [windowBetween(now - HOUR, now + HOUR)];
    return { ...params, call_windows, time_zone: 'Etc/UTC', time_zone_key: key };
  };

  /** Sets the time zones of contacts. @returns when each request was answered (ms) */
  async function moveTo(zone: string, contacts: number[]): Promise<Map<number, number>> {
    const moved = new Map<number, number>();
    const waiting = contacts.toReversed();
    const work = async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        expect((await api.patch(`/api/contacts/${id}`, { metadata: { zone } })).status).toBe(204);
        moved.set(id, Date.now());
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    return moved;
  }

  it('who moves to a zone in which they are open is called, also if a call flow stores the zone', async () => {
    const moving = number();
    const group = `g${++groups}`;
    const metadata = { zone: 'Asia/Phnom_Penh', province: 'Asia/Phnom_Penh', group };
    const [byHand] = await api.createContacts(...[number(), moving].map((msisdn) => ({ msisdn, metadata })));
    const [one, other] = [
      await startCallout(api, group, zonedPlan('zone')),
      await startCallout(api, group, zonedPlan('province')),
    ];
    await waitUntilHeld(one, 'window', 2);
    await waitUntilHeld(other, 'window', 2);
    await moveTo('Etc/UTC', [byHand!]);
    // The answers say English and Siem Reap.
    await callIn(api, moving, ['2', '5', '1']);
    await eventually(async () => (await people(one))[0]!.outcome === 'answered');
    await eventually(async () => (await people(other))[1]!.outcome === 'answered');
    for (const held of [(await people(one))[1], (await people(other))[0]]) {
      expect(held).toMatchObject({ outcome: 'waiting', waiting_for: 'window', attempts: 0 });
    }
  });

  it('who moves to a zone in which they are closed is not dialed, though the call was reserved', async () => {
    const group = await createGroup(
      Array.from({ length: 150 }, () => number()),
      { zone: 'Etc/UTC' },
    );
    const id = await startCallout(api, group, { ...zonedPlan('zone'), calls_per_second: 10 });
    await eventually(async () => (await dialed(id)).length >= 5);
    const contacts = (await people(id)).map(({ contact_id }) => contact_id);
    const moved = await moveTo('Asia/Phnom_Penh', contacts.slice(5));
    const all = await people(id);
    await eventually(async () =>
      (await people(id)).every(({ outcome, waiting_for }) => outcome === 'answered' || waiting_for === 'window'),
    );
    const late = (await dialed(id)).flatMap(({ callout_participation_id, dialled_at }) => {
      const person = all.find((one) => one.id === callout_participation_id)!;
      const after = dialled_at!.getTime() - (moved.get(person.contact_id) ?? Infinity);
      return after > 0 ? [{ id: person.id, after }] : [];
    });
    expect(late).toEqual([]);
    expect((await people(id)).filter((one) => one.waiting_for === 'window').length).toBeGreaterThan(0);
  });

  it('who moves while the gate decides is not held back by the old zone', async () => {
    const slow = { calls_per_second: 0.01 };
    const zone = { zone: 'Etc/UTC' };
    const group = await createGroup(
      Array.from({ length: 60 }, () => number()),
      zone,
    );
    const id = await startCallout(api, group, { ...zonedPlan('zone'), ...slow });
    await eventually(async () => (await calls(id)).length === 60);
    const contacts = (await people(id)).map(({ contact_id }) => contact_id);
    await moveTo('Asia/Phnom_Penh', contacts);
    await api.patch(`/api/callouts/${id}`, { dial_plan: zonedPlan('zone') });
    await moveTo('Etc/UTC', contacts);
    await eventually(async () => (await people(id)).every(({ outcome }) => outcome === 'answered'));
    const later = await createGroup(
      Array.from({ length: 60 }, () => number()),
      { zone: 'Asia/Phnom_Penh' },
    );
    const ids = await api.listIds(`/api/contacts?q[metadata][group]=${later}`);
    const [other] = await Promise.all([startCallout(api, later, zonedPlan('zone')), moveTo('Etc/UTC', ids)]);
    await eventually(async () => (await people(other)).length === 60);
    await eventually(async () => (await people(other)).every(({ outcome }) => outcome === 'answered'));
  });

  it.runIf(way === 'cluster')('who waits says so only if the zone is not changing at that moment', async () => {
    const metadata = { zone: 'Asia/Phnom_Penh', group: `g${++groups}` };
    const ids = await api.createContacts(...[1, 2].map(() => ({ msisdn: number(), metadata })));
    const { id: byHand } = (await api.post('/api/callouts', { dial_plan: zonedPlan('zone') })).body;
    const [contact_id] = ids;
    const person = (await api.post(`/api/callouts/${byHand}/callout_participations`, { contact_id })).body.id;
    const call = await createCallByHand(person);
    const database = await installation.connect();
    await database.query('SET idle_in_transaction_session_timeout = 0');
    await database.query('BEGIN');
    await database.query(`UPDATE contacts SET metadata = '{"zone":"Etc/UTC"}' WHERE id IN (${ids.join()})`);
    const id = await startCallout(api, metadata.group, zonedPlan('zone'));
    await queue(call);
    // The runner and the dial queue.
    await eventually(async () => {
      const [{ waiting }] = (await installation.query<Body>(
        `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )) as [Body];
      return Number(waiting) >= 2;
    });
    await database.query('COMMIT');
    await database.close();
    await eventually(async () => (await people(byHand))[0]!.outcome === 'answered');
    await waitForStatus(api, id, 'completed');
    expect((await people(id)).map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
  });

  it('calls that a hand or a batch operation queues are held back in the same way', async () => {
    const opening = minuteIn(3 * HOUR);
    const call_windows = [windowBetween(opening, opening + HOUR)];
    const { id, people: ids } = await createByHand({ ...params, call_windows }, 3);
    const byHand = await createCallByHand(ids[0]!);
    await queue(byHand);
    for (const [type, parameters] of [
      ['PhoneCallCreate', params],
      ['PhoneCallQueue', {}],
    ] as const) {
      const { body } = await api.post(`/api/callouts/${id}/batch_operations`, {
        type: `BatchOperation::${type}`,
        parameters,
      });
      await api.runBatchOperation(body.id);
    }
    const next_call_at = new Date(opening).toISOString();
    for (const one of await waitUntilHeld(id, 'window', 3)) expect(one).toMatchObject({ attempts: 0, next_call_at });
    expect((await calls(id)).map(({ status }) => status)).toEqual(Array((await calls(id)).length).fill('queued'));
    expect(await dialed(id)).toEqual([]);
    await api.patch(`/api/callouts/${id}`, { dial_plan: params });
    await eventually(async () => (await calls(id)).every(({ status }) => status === 'completed'));
    expect((await people(id)).map(({ outcome, waiting_for }) => [outcome, waiting_for])).toEqual(
      Array(3).fill(['answered', null]),
    );
  });

  it('the people of a zone in which it is night leave room for those of another', async () => {
    const now = minuteIn(0);
    const group = await createGroup(
      Array.from({ length: 120 }, () => number()),
      { zone: 'Asia/Phnom_Penh' },
    );
    // A hundred attempts are queued ahead.
    const id = await startCallout(api, group, { ...params, calls_per_second: 0.01 });
    await eventually(async () => (await calls(id)).length >= 100);
    const call_windows = [windowBetween(now - HOUR, now + HOUR)];
    const dial_plan = { ...params, call_windows, time_zone: 'Etc/UTC', time_zone_key: 'zone', calls_per_second: 0.8 };
    await api.patch(`/api/callouts/${id}`, { dial_plan });
    const [contact_id] = await api.createContacts({ msisdn: number() });
    await api.post(`/api/callouts/${id}/callout_participations`, { contact_id });
    await eventually(async () => (await people(id)).at(-1)!.outcome === 'answered');
    expect((await dialed(id)).length).toBeLessThan(5);
  });
});

/** @returns how many of the calls were in flight at the same time, by their stored times */
function mostInFlight(ended: StoredCall[]): number {
  const changes = ended.flatMap(({ dialled_at, ended_at }) => [
    { at: dialled_at!.getTime(), by: 1 },
    { at: ended_at!.getTime(), by: -1 },
  ]);
  let inFlight = 0;
  return Math.max(...changes.toSorted((a, b) => a.at - b.at || a.by - b.by).map(({ by }) => (inFlight += by)));
}

describe('the limits of a plan', () => {
  useProgram({});

  it('max_calls_in_flight is kept beside a callout that has none', async () => {
    await api.put('/simulator/faults', { queue_seconds: 150 });
    const group = await createGroup(Array.from({ length: 40 }, () => number()));
    const fast = await createGroup(Array.from({ length: 300 }, () => number()));
    const id = await startCallout(api, group, { ...params, max_calls_in_flight: 3 });
    const other = await startCallout(api, fast, params);
    await waitForStatus(api, other, 'completed');
    await waitForStatus(api, id, 'completed');
    expect(mostInFlight(await calls(id))).toBe(3);
    expect(mostInFlight(await calls(other))).toBeGreaterThan(3);
  });

  it('calls_per_second is kept beside a callout that has none', async () => {
    const group = await createGroup(Array.from({ length: 60 }, () => number()));
    const fast = await createGroup(Array.from({ length: 300 }, () => number()));
    const id = await startCallout(api, group, { ...params, calls_per_second: 10 });
    const other = await startCallout(api, fast, params);
    await waitForStatus(api, other, 'completed');
    await waitForStatus(api, id, 'completed');
    const times = async (callout: number) => (await dialed(callout)).map((one) => one.dialled_at!.getTime()).toSorted();
    const slow = await times(id);
    const most = (all: number[], length: number) =>
      Math.max(...all.map((from) => all.filter((at) => at >= from && at < from + length).length));
    // A reservation is made up to a quarter of a second ahead, and waits for its slot.
    expect(most(slow, 1_000)).toBeLessThanOrEqual(15);
    expect(most(slow, 3_000)).toBeLessThanOrEqual(35);
    expect(most(await times(other), 1_000)).toBeGreaterThan(15);
  });
});

describe('an emergency attempt that waits for another call to its person', () => {
  useProgram({});

  it('lets the calls of other callouts pass', async () => {
    const group = await createGroup([number(), number()]);
    const id = await startCallout(api, group, { ...params, calls_per_second: 0.01 }, { priority: 'emergency' });
    await eventually(async () => (await people(id)).map(({ outcome }) => outcome).join() === 'answered,calling');
    await api.put('/simulator/faults', { queue_seconds: 6_000 });
    await queue(await createCallByHand((await people(id))[1]!.id));
    await api.patch(`/api/callouts/${id}`, { dial_plan: params });
    await eventually(async () => (await calls(id)).at(-1)!.status === 'remotely_queued');
    await api.delete('/simulator/faults');
    const normal = await startCallout(api, await createGroup([number()]), params);
    const { completed_at } = await waitForStatus(api, normal, 'completed');
    await waitForStatus(api, id, 'completed');
    expect((await calls(id)).at(-1)!.ended_at!.getTime()).toBeGreaterThan(Date.parse(completed_at));
  });
});

describe('MAX_CALLS_PER_NUMBER', () => {
  useProgram({ MAX_CALLS_PER_NUMBER: '2/1h' });

  const retries = { busy: { max: 5, after: [0] } };

  it('holds the third ring of a number back, whichever callout it comes from, but not an emergency', async () => {
    const group = await createGroup([number('9902'), number('9902')]);
    const one = await startCallout(api, group, { ...params, retries, max_attempts: 5 });
    await waitUntilHeld(one, 'budget', 2);
    const rings = await dialed(one);
    expect(rings).toHaveLength(4);
    const other = await startCallout(api, group, params);
    await waitUntilHeld(other, 'budget', 2);
    expect(await calls(other)).toEqual([]);
    for (const [callout, outcome, attempts] of [
      [one, 'retrying', 2],
      [other, 'waiting', 0],
    ] as const) {
      for (const person of await people(callout)) {
        expect(person).toMatchObject({ outcome, attempts });
        const [first] = rings.filter(({ msisdn }) => msisdn === person.msisdn);
        expect(person.next_call_at!.getTime()).toBe(first!.dialled_at!.getTime() + HOUR);
      }
    }
    const emergency = await startCallout(api, group, { ...params, retries: {} }, { priority: 'emergency' });
    await waitForStatus(api, emergency, 'completed');
    expect(await dialed(emergency)).toHaveLength(2);
    expect(await dialed(one)).toHaveLength(4);
  });

  it('is kept by many callouts that start together', async () => {
    const group = await createGroup([number()]);
    const ids = await Promise.all(Array.from({ length: 6 }, () => startCallout(api, group, params)));
    const all = async () => (await Promise.all(ids.map(people))).flat();
    await eventually(async () => (await all()).filter((one) => one.waiting_for === 'budget').length === 4);
    await eventually(async () => (await all()).filter((one) => one.outcome === 'answered').length === 2);
    expect((await Promise.all(ids.map(dialed))).flat()).toHaveLength(2);
  });

  it('lets two of three calls of one person go that hands have queued', async () => {
    const { id, people: ids } = await createByHand(params, 1);
    await sendCalloutEvent(api, id, 'pause');
    for (let n = 0; n < 3; n++) await queue(await createCallByHand(ids[0]!));
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await calls(id)).filter(({ status }) => status === 'completed').length === 2);
    await waitUntilHeld(id, 'budget');
    expect((await calls(id)).map(({ status }) => status).toSorted()).toEqual(['completed', 'completed', 'queued']);
    // It waits for the third call.
    expect((await api.get(`/api/callouts/${id}`)).body.status).toBe('running');
  });

  it('does not count calls that the provider refused', async () => {
    const group = await createGroup([number('9921')]);
    for (let n = 0; n < 4; n++) {
      const id = await startCallout(api, group, params);
      await waitForStatus(api, id, 'completed');
      expect(await people(id)).toMatchObject([{ outcome: 'errored', waiting_for: null }]);
    }
  });
});
