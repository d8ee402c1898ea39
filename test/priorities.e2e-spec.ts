import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { createPausedCallout, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';

const NORMAL_CALLS = 5_000;

let installation: Installation;
let api: Api;
let groups = 0;

beforeEach(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '300', CALLS_PER_SECOND: '20' })).api;
});
afterEach(() => installation.remove());
afterEach(() => expectConsistentBookkeeping(installation));

/** Creates a paused callout that has a queued call for each of `people` new contacts. @returns its id */
async function createCallout(priority: string, people: number): Promise<number> {
  const metadata = { group: `g${++groups}` };
  const contacts = Array.from({ length: people }, (_, n) => ({ msisdn: `+85512${groups}${100 + n}9900`, metadata }));
  await api.createContacts(...contacts);
  const id = await createPausedCallout(api, { metadata });
  await api.patch(`/api/callouts/${id}`, { priority });
  return id;
}

async function createLargeCallout(): Promise<number> {
  await installation.insertContacts(NORMAL_CALLS);
  return createPausedCallout(api, { metadata: { many: 'yes' } });
}

/** @returns the calls of a callout that were dialed, oldest first */
async function dialedCalls(callout: number, condition = 'TRUE'): Promise<number[]> {
  const rows = await installation.query<{ id: number | string }>(`SELECT id FROM phone_calls
    WHERE callout_id = ${callout} AND dialled_at IS NOT NULL AND ${condition} ORDER BY dialled_at`);
  return rows.map(({ id }) => Number(id));
}

const waitUntilDialed = (callout: number, count: number) =>
  eventually(async () => (await dialedCalls(callout)).length >= count);

const dialedOf = (aggregate: 'min' | 'max', callout: number): string =>
  `(SELECT ${aggregate}(dialled_at) FROM phone_calls WHERE callout_id = ${callout})`;

describe('an emergency callout', () => {
  it('is dialed before any further call of the 5,000 that wait, and a low one only after them', async () => {
    const low = await createCallout('low', 5);
    const emergency = await createCallout('emergency', 60);
    const normal = await createLargeCallout();
    await sendCalloutEvent(api, normal, 'resume');
    await waitUntilDialed(normal, 10);
    await sendCalloutEvent(api, low, 'resume');
    await sendCalloutEvent(api, emergency, 'resume');
    const before = await dialedCalls(normal);
    await waitUntilDialed(emergency, 60);
    const earlier = await dialedCalls(normal, `dialled_at <= ${dialedOf('max', emergency)}`);
    expect(earlier.filter((id) => !before.includes(id))).toEqual([]);
    // The calls whose reservations were released are dialed after all.
    await waitUntilDialed(normal, before.length + 30);
    expect(await dialedCalls(low)).toEqual([]);
    await sendCalloutEvent(api, normal, 'stop');
    await waitUntilDialed(low, 5);
    expect(await dialedCalls(normal, `dialled_at > ${dialedOf('min', low)}`)).toEqual([]);
  });

  it('gets the slot of a call that is reserved again after a refusal', async () => {
    const slot = 2_500;
    await installation.killAll();
    api = (await installation.start({ SIMULATOR_SPEED: '300', CALLS_PER_SECOND: `${1_000 / slot}` })).api;
    const [emergency, normal] = [await createCallout('emergency', 1), await createCallout('normal', 3)];
    await installation.query(`UPDATE phone_calls SET refusals = 1 WHERE callout_id = ${normal}`);
    await sendCalloutEvent(api, normal, 'resume');
    await waitUntilDialed(normal, 1);
    const reserved = `SELECT 1 FROM phone_calls WHERE callout_id = ${normal} AND dialled_at IS NULL
      AND leased_until IS NOT NULL`;
    await eventually(async () => (await installation.query(reserved)).length > 0, 10_000, 10);
    await sendCalloutEvent(api, emergency, 'resume');
    await waitUntilDialed(emergency, 1);
    const [row] = await installation.query<Record<'first' | 'next', string | Date>>(
      `SELECT ${dialedOf('min', normal)} AS first, ${dialedOf('min', emergency)} AS next`,
    );
    const slots = (new Date(row!.next).getTime() - new Date(row!.first).getTime()) / slot;
    expect(slots).toBeLessThan(1.5);
  });

  it('shares its turns with other emergency callouts', async () => {
    const [one, other] = [await createCallout('emergency', 40), await createCallout('emergency', 40)];
    await sendCalloutEvent(api, one, 'resume');
    await waitUntilDialed(one, 5);
    await sendCalloutEvent(api, other, 'resume');
    await waitUntilDialed(other, 10);
    expect((await dialedCalls(one)).length).toBeLessThan(40);
  });
});

describe('a low callout', () => {
  it('waits as soon as a normal call is due, and continues afterwards', async () => {
    const [low, normal] = [await createCallout('low', 60), await createCallout('normal', 40)];
    await sendCalloutEvent(api, low, 'resume');
    await waitUntilDialed(low, 10);
    await sendCalloutEvent(api, normal, 'resume');
    const before = await dialedCalls(low);
    await waitUntilDialed(normal, 40);
    // A second has 19 slots. Those that were reserved for low calls are given back.
    const earlier = await dialedCalls(low, `dialled_at <= ${dialedOf('max', normal)}`);
    expect(earlier.length - before.length).toBeLessThan(10);
    const between = `dialled_at BETWEEN ${dialedOf('min', normal)} AND ${dialedOf('max', normal)}`;
    expect(await dialedCalls(low, between)).toEqual([]);
    await waitUntilDialed(low, 60);
  });
});
