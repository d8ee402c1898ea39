import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { createPausedCallout, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { PROVIDER_SID, dialingEnvironment } from './support/provider-environment.js';
import { type StubResponse, StubServer } from './support/stub-server.js';

/**
 * The number of people of a callout whose calls are refused because of a setting, and of one whose calls are refused
 * with an unknown code. Each callout is large in one of the two ways.
 */
const [PEOPLE_OF_SETTING, PEOPLE_OF_UNKNOWN] = way === 'embedded' ? [10_000, 1_000] : [1_000, 10_000];

/** An upper limit of the calls that one process dials concurrently, plus those of one more claim. */
const IN_FLIGHT = 250;

let installation: Installation;
let api: Api;

beforeEach(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '1000', CALLS_PER_SECOND: '500' })).api;
});
afterEach(() => installation.remove());
afterEach(() => expectConsistentBookkeeping(installation));

const faults = (given: object) => api.put('/simulator/faults', given);
const callout = async (id: number): Promise<Body> => (await api.get(`/api/callouts/${id}`)).body;
const total = async (id: number, query: string): Promise<number> =>
  Number((await api.get(`/api/callouts/${id}/phone_calls?per_page=1&${query}`)).headers.get('total'));
const requested = async (): Promise<number> => (await api.get('/simulator/statistics')).body.requested;

describe.each([
  ['whose code concerns a setting', 21205, 'The provider refuses calls because of a setting: ', PEOPLE_OF_SETTING],
  [
    'with the same unknown code, of all first calls',
    21999,
    'The provider refused the first 10 calls in the same way: ',
    PEOPLE_OF_UNKNOWN,
  ],
] as const)('a refusal %s', (_, account, reason, people) => {
  it(`holds the callout of ${people} people: no call is lost, and all are dialed after resume`, async () => {
    await installation.insertContacts(people + 100);
    // The simulator refuses these numbers themselves.
    await installation.query(`DELETE FROM contacts WHERE msisdn LIKE '%99__'`);
    await installation.query(
      `DELETE FROM contacts WHERE id NOT IN (SELECT id FROM contacts ORDER BY id LIMIT ${people})`,
    );
    const id = await createPausedCallout(api);
    expect((await faults({ account })).status).toBe(200);
    await sendCalloutEvent(api, id, 'resume');
    const held = await eventually(async () => {
      const shown = await callout(id);
      return shown.status === 'paused' && shown;
    });
    expect(held.held_because).toContain(reason);
    expect(held.held_because).toContain(`(${account})`);
    const { body: ready } = await api.get('/health/ready');
    expect(ready.details.telephony.held_callouts).toEqual([{ id, because: held.held_because }]);
    await eventually(async () => (await total(id, 'q[status]=queued')) === people);
    expect(await requested()).toBeLessThanOrEqual(10 + IN_FLIGHT);
    expect((await api.get(`/api/callouts/${id}/phone_calls?q[remote_error_message]=x`)).headers.get('total')).toBe('0');
    await api.delete('/simulator/faults');
    await sendCalloutEvent(api, id, 'resume');
    expect((await callout(id)).held_because).toBeNull();
    await eventually(async () => (await total(id, 'q[status]=queued')) === 0, 240_000, 500);
    const { created, rung_again: again } = await eventually(async () => {
      const { body } = await api.get('/simulator/statistics');
      return body.created >= people && body;
    });
    expect([created, again]).toEqual([people, {}]);
    expect((await api.get('/health/ready')).body.details.telephony.held_callouts).toBeUndefined();
  }, 300_000);
});

describe('a callout on trial', () => {
  const people = (endings: string[]): Promise<number[]> =>
    api.createContacts(
      ...endings.map((ending, n) => ({ msisdn: `+85512${100 + n}${ending}`, metadata: { group: 'a' } })),
    );
  const filter = { metadata: { group: 'a' } };

  it('continues when one of its first calls is accepted, and the refused calls are errored', async () => {
    // The calls are dialed one after another, so that the tenth response comes before the eleventh.
    await installation.killAll();
    api = (await installation.start({ SIMULATOR_SPEED: '1000', MAX_CALLS_IN_FLIGHT: '1' })).api;
    await people([...Array(9).fill('9921'), '9902', ...Array(12).fill('9921')]);
    const id = await createPausedCallout(api, filter);
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await total(id, 'q[status]=errored,busy')) === 22);
    expect(await callout(id)).toMatchObject({ status: 'running', held_because: null });
  });

  it('is held by ten numbers that cannot be called, but not again after it is resumed', async () => {
    await people(Array(12).fill('9921'));
    const id = await createPausedCallout(api, filter);
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await callout(id)).status === 'paused');
    expect((await callout(id)).held_because).toContain('21211');
    await eventually(async () => (await total(id, 'q[status]=errored')) === 0);
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await total(id, 'q[status]=errored')) === 12);
    expect(await callout(id)).toMatchObject({ status: 'running', held_because: null });
  });

  /**
   * Creates a callout in `initialized`, runs `prepare`, and queues a call.
   * @returns the callout's id
   */
  async function calloutWithCall(params: object = {}, prepare = async (_id: number) => {}): Promise<number> {
    const [contact_id] = await people(['9900']);
    const id = await api.createCallout();
    const joined = await api.post(`/api/callouts/${id}/callout_participations`, { contact_id });
    const made = await api.post(`/api/callout_participations/${joined.body.id}/phone_calls`, {
      remote_request_params: { from: '2442', ...params },
    });
    await prepare(id);
    await api.post(`/api/phone_calls/${made.body.id}/phone_call_events`, 'event=queue');
    return id;
  }

  it.each([
    [21209, 'an invalid method', { url: 'http://127.0.0.1:1/', method: 'PUT' }],
    [21632, 'TwiML that is too long', { twiml: `<Response><Say>${'Run! '.repeat(1_000)}</Say></Response>` }],
  ])('is held by its first call with the code %i: %s', async (code, _, params) => {
    const id = await calloutWithCall(params);
    await eventually(async () => (await callout(id)).status === 'paused');
    expect((await callout(id)).held_because).toContain(`(${code})`);
    await eventually(async () => (await total(id, 'q[status]=queued')) === 1);
  });

  it('is held although the clock has stepped back to before the beginning of its trial, and once more', async () => {
    await faults({ account: 21606 });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const beginLater = (id: number, more = '') =>
      installation.query(`UPDATE callouts SET trial_began_at = '${later}' ${more} WHERE id = ${id}`);
    const id = await calloutWithCall({}, async (callout) => void (await beginLater(callout)));
    await eventually(async () => (await callout(id)).status === 'paused');
    expect((await callout(id)).held_because).toContain('(21606)');
    // The order of trial and refusal is unknown, so the call is not lost.
    expect(await total(id, 'q[status]=queued')).toBe(1);
    const before = await requested();
    // The callout is resumed, then the clock steps back. A refusal now is not from before the resumption.
    await beginLater(id, `, status = 'running', held_because = NULL`);
    await eventually(async () => (await callout(id)).status === 'paused');
    expect((await callout(id)).held_because).toContain('(21606)');
    expect(await requested()).toBe(before + 1);
    expect(await total(id, 'q[status]=queued')).toBe(1);
  });

  it('is not held again by a refusal from before it was resumed, even if a call was accepted meanwhile', async () => {
    let sendLateRefusal!: () => void;
    const after = new Promise<void>((resolve) => (sendLateRefusal = resolve));
    const refusal = { status: 400, body: JSON.stringify({ code: 21205, message: 'Url is not a valid URL' }) };
    const responses: StubResponse[] = [];
    let accepted = 0;
    const provider = await StubServer.start({
      get [`/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json`]() {
        const call = () => ({ sid: `CA${++accepted}`, status: 'queued', direction: 'outbound-api' });
        return responses.shift() ?? { status: 201, body: JSON.stringify(call()) };
      },
    });
    // The first refusal waits for the second request, because no call of a held callout is dialed.
    responses.push({ ...refusal, after: eventually(() => provider.forms.length === 2) }, { ...refusal, after });
    try {
      await installation.killAll();
      const settings = { ...dialingEnvironment(provider.url), PUBLIC_URL: 'https://warn.example' };
      api = (await installation.start(settings)).api;
      await people(['9900', '9900']);
      const id = await createPausedCallout(api, filter);
      await sendCalloutEvent(api, id, 'resume');
      await eventually(async () => (await callout(id)).status === 'paused');
      await sendCalloutEvent(api, id, 'resume');
      await eventually(async () => (await total(id, 'q[status]=remotely_queued')) === 1);
      sendLateRefusal();
      await eventually(async () => (await total(id, 'q[status]=remotely_queued')) === 2);
      expect(await callout(id)).toMatchObject({ status: 'running', held_because: null });
      expect(provider.forms.length).toBe(4);
    } finally {
      await provider.stop();
    }
  });

  it.runIf(way === 'cluster')('is held although somebody changes one of its refused calls at that moment', async () => {
    await installation.killAll();
    api = (await installation.start({ SIMULATOR_SPEED: '1000', MAX_CALLS_IN_FLIGHT: '1' })).api;
    await people(Array(12).fill('9900'));
    await faults({ account: 21999 });
    const id = await createPausedCallout(api, filter);
    await sendCalloutEvent(api, id, 'resume');
    await eventually(async () => (await total(id, 'q[status]=errored')) > 0);
    const database = await installation.connect();
    await database.query('SET idle_in_transaction_session_timeout = 0');
    await database.query('BEGIN');
    await database.query(`SELECT 1 FROM phone_calls WHERE callout_id = ${id} AND status = 'errored' FOR UPDATE`);
    await eventually(async () => {
      const [{ waiting }] = (await installation.query<Body>(
        `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )) as [Body];
      return Number(waiting) > 0;
    });
    await database.query('COMMIT');
    await database.close();
    await eventually(async () => (await callout(id)).status === 'paused');
    expect(await total(id, 'q[status]=queued')).toBe(12);
  });

  it('is held from initialized, too, and stop cancels its call', async () => {
    await faults({ account: 21606 });
    const id = await calloutWithCall();
    await eventually(async () => (await callout(id)).status === 'paused');
    expect((await callout(id)).held_because).toContain('(21606)');
    await sendCalloutEvent(api, id, 'stop');
    await eventually(async () => (await total(id, 'q[status]=canceled')) === 1);
    expect((await callout(id)).held_because).toBeNull();
  });
});
