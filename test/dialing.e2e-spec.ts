import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Api, type Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { eventually } from './support/eventually.js';
import { freePort } from './support/free-port.js';
import { Installation, way } from './support/installation.js';
import type { Program } from './support/program.js';
import {
  PROVIDER_SID,
  providerAuthorization,
  dialingEnvironment,
  providerEnvironment,
} from './support/provider-environment.js';

/**
 * How many calls each fault test makes. `FAULT_CALLS=1000 npm test -- test/dialing` also tests each fault separately.
 */
const CALLS = Number(process.env.FAULT_CALLS ?? 150);

const TIMEOUT = 100_000;

let installation: Installation;
let provider: Installation;
/** The API of a program that only simulates the provider. It outlives the programs under test. */
let providerApi: Api;

beforeEach(async () => {
  provider = await Installation.createEmbedded();
  providerApi = (await provider.start({ ...providerEnvironment, SIMULATOR_SPEED: '500' })).api;
  installation = await Installation.create();
});
afterEach(async () => {
  await installation.remove();
  await provider.remove();
});
afterEach(() => expectConsistentBookkeeping(installation));

/** Starts a program that dials the simulated provider, as it would dial Somleng. */
const start = async (more: Record<string, string> = {}): Promise<Program> => {
  const port = await freePort();
  return installation.start({
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ...dialingEnvironment(providerApi.url),
    CALLS_PER_SECOND: '1000',
    FETCHES_PER_SECOND: '500',
    RECONCILE_AFTER: '2',
    UNCERTAIN_FOR: '4',
    PROVIDER_TIMEOUT: '2',
    ...more,
  });
};

const faults = (given: object) => providerApi.put('/simulator/faults', given);
const statistics = async (): Promise<Body> => (await providerApi.get('/simulator/statistics')).body;

/**
 * Creates contacts, runs `beforeQueueing`, and queues a call to each contact.
 * @returns the callout's id
 */
async function callEveryone(api: Api, people: number, beforeQueueing?: () => Promise<unknown>): Promise<number> {
  await installation.insertContacts(people);
  return callAll(api, beforeQueueing);
}

/**
 * Queues a call to every contact.
 * @returns the callout's id
 */
async function callAll(api: Api, beforeQueueing: () => Promise<unknown> = async () => {}): Promise<number> {
  const callout = await api.createCallout();
  await api.runBatchOperation(await api.createPopulation(callout));
  const run = async (type: string, parameters: object): Promise<void> => {
    const path = `/api/callouts/${callout}/batch_operations`;
    const { body } = await api.post(path, { type: `BatchOperation::${type}`, parameters });
    await api.runBatchOperation(body.id);
  };
  await run('PhoneCallCreate', { remote_request_params: { from: '2442' } });
  await beforeQueueing();
  await run('PhoneCallQueue', {});
  return callout;
}

/** Waits until no call is in a state that needs work. */
function settled(): Promise<boolean> {
  return eventually(async () => {
    const rows = await installation.query<{ status: string }>(
      `SELECT DISTINCT status FROM phone_calls
        WHERE status NOT IN ('busy', 'failed', 'not_answered', 'canceled', 'completed', 'errored')`,
    );
    return rows.length === 0;
  }, TIMEOUT);
}

/** Checks that each person was called once, and that our calls and the provider's correspond one to one. */
async function expectOneCallPerPerson(people: number): Promise<void> {
  const { created, rung_again: again } = await statistics();
  expect(again).toEqual({});
  const [local] = await installation.query<Body>(
    `SELECT count(*) AS calls, count(DISTINCT contact_id) AS people, count(remote_call_id) AS rung FROM phone_calls`,
  );
  expect({ calls: Number(local.calls), people: Number(local.people) }).toEqual({ calls: people, people });
  expect(Number(local.rung)).toBe(created);
  for (const row of await installation.query<Body>('SELECT remote_call_id, remote_status FROM phone_calls')) {
    if (row.remote_call_id === null) continue;
    const remote = await providerApi.get(
      `/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls/${row.remote_call_id}.json`,
      providerAuthorization,
    );
    expect([remote.status, remote.body.status]).toEqual([200, row.remote_status]);
  }
}

/** Each fault separately. These tests are slow, and the last test below combines all faults. */
const singleFaults: [string, object][] = [
  ['refuses some requests temporarily', { create: { 429: 0.3 } }],
  ['fails before it accepts a call', { create: { '500_before': 0.1 } }],
  ['fails after it accepted a call', { create: { '500_after': 0.2 } }],
  ['does not respond and accepts no call', { create: { hang_before: 0.02 } }],
  ['does not respond and accepts the call', { create: { hang_after: 0.02 } }],
  ['loses callbacks', { callbacks: { lost: 0.7 } }],
  ['repeats callbacks', { callbacks: { doubled: 0.5 } }],
  ['delays callbacks', { callbacks: { late: 0.3 } }],
  ['reorders callbacks', { callbacks: { reordered: 0.5 } }],
];

describe('a faulty provider', () => {
  it.each([
    ...(process.env.FAULT_CALLS ? singleFaults : []),
    [
      'loses, repeats, delays and reorders callbacks',
      { callbacks: { lost: 0.3, doubled: 0.2, late: 0.1, reordered: 0.2 } },
    ],
    [
      'has all faults',
      {
        create: { 429: 0.05, '500_before': 0.05, '500_after': 0.1, hang_before: 0.02, hang_after: 0.02 },
        callbacks: { lost: 0.2, doubled: 0.2, late: 0.1, reordered: 0.1 },
      },
    ],
  ])('%s: everyone is called at most once, and no call is lost', async (_, given) => {
    const { api } = await start();
    expect((await faults(given)).status).toBe(200);
    await callEveryone(api, CALLS);
    await settled();
    await expectOneCallPerPerson(CALLS);
  });

  it('is unreachable: the calls wait', async () => {
    const { api } = await start();
    const { port } = new URL(providerApi.url);
    await provider.killAll();
    await callEveryone(api, 20);
    await eventually(async () => {
      const [row] = await installation.query<Body>(`SELECT sum(refusals) AS refusals FROM phone_calls`);
      return Number(row.refusals) > 3;
    });
    providerApi = (await provider.start({ ...providerEnvironment, SIMULATOR_SPEED: '500', PORT: port })).api;
    await settled();
    await expectOneCallPerPerson(20);
  });
});

describe('a process that is killed', () => {
  it.each(['claimed', 'placed', 'recorded'])('when a call was just %s calls nobody twice', async (moment) => {
    // The rate is so slow that each call is claimed separately. Only the call in flight can be lost.
    const first = await start({ SCFM_TEST_DIES_WHEN: moment, CALLS_PER_SECOND: '4' });
    const callout = callEveryone(first.api, 10).catch(() => undefined);
    await first.waitForExit();
    await callout;
    const second = await start();
    for (const { id, status } of await installation.query<Body>(`SELECT id, status FROM phone_calls`)) {
      if (status === 'created') await second.api.post(`/api/phone_calls/${id}/phone_call_events`, 'event=queue');
    }
    await settled();
    await expectOneCallPerPerson(10);
    const lost = await installation.query<Body>(
      `SELECT remote_call_id, remote_error_message FROM phone_calls WHERE status = 'errored'`,
    );
    // A call that was claimed and never sent cannot be resolved, and its message says so.
    for (const { remote_call_id: sid, remote_error_message: message } of lost) {
      expect([sid, message]).toEqual([null, expect.stringContaining('It is not known whether')]);
    }
    expect(lost).toHaveLength(moment === 'claimed' ? 1 : 0);
  });
});

describe('a running callout', () => {
  it('pauses within a second, resumes, and stops', async () => {
    const { api } = await start({ CALLS_PER_SECOND: '50' });
    const callout = await callEveryone(api, 1_000);
    const event = (name: string) => api.post(`/api/callouts/${callout}/callout_events`, { event: name });
    await event('start');
    const created = async (): Promise<number> => (await statistics()).created;
    await eventually(async () => (await created()) >= 20);
    const before = Date.now();
    await event('pause');
    const { creations } = await eventually(async () => {
      const seen = await statistics();
      return Date.now() - seen.creations.at(-1) > 2_000 && seen;
    });
    expect(creations.at(-1) - before).toBeLessThan(1_000);
    await event('resume');
    await eventually(async () => (await created()) > creations.length);
    await event('stop');
    await settled();
    const [row] = await installation.query<Body>(
      `SELECT count(*) AS canceled FROM phone_calls WHERE status = 'canceled' AND remote_call_id IS NULL`,
    );
    expect(Number(row.canceled)).toBeGreaterThan(500);
    await expectOneCallPerPerson(1_000);
  });
});

describe('two callouts at a slow rate', () => {
  it('are dialed in turn: the second one does not wait for the end of the first', async () => {
    const { api } = await start({ CALLS_PER_SECOND: '3' });
    const first = await callEveryone(api, 100);
    const second = await callAll(api);
    const dialedCount = async (callout: number): Promise<number> => {
      const [row] = await installation.query<Body>(
        `SELECT count(dialled_at) AS dialed FROM phone_calls WHERE callout_id = ${callout}`,
      );
      return Number(row.dialed);
    };
    const before = await dialedCount(first);
    await eventually(async () => (await dialedCount(second)) >= 6);
    const [ofFirst, ofSecond] = [(await dialedCount(first)) - before, await dialedCount(second)];
    expect(Math.abs(ofFirst - ofSecond)).toBeLessThanOrEqual(4);
  });
});

describe.runIf(way === 'cluster')('a database that is slow to commit', () => {
  it('dials no call late: a claim that is committed after its slot is released', async () => {
    const { api } = await start();
    await installation.query(`CREATE SEQUENCE claims`);
    await installation.query(`CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM nextval('claims'), pg_sleep(0.4); RETURN NULL; END $$`);
    await installation.query(`CREATE CONSTRAINT TRIGGER slow_claims AFTER UPDATE ON phone_calls DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (old.lease_token IS NULL AND new.lease_token IS NOT NULL) EXECUTE FUNCTION be_slow()`);
    await callEveryone(api, 3);
    await eventually(async () => {
      const [{ last_value: claims }] = await installation.query<Body>(`SELECT last_value FROM claims`);
      return Number(claims) > 6;
    }, TIMEOUT);
    expect((await statistics()).created).toBe(0);
    await installation.query(`DROP TRIGGER slow_claims ON phone_calls`);
    await settled();
    await expectOneCallPerPerson(3);
  });
});

describe.runIf(way === 'cluster')('a database whose statistics say that hardly any call is queued', () => {
  it('dials and cancels without slow statements', async () => {
    const { api } = await start({ CALLS_PER_SECOND: '100' });
    const callout = await callEveryone(api, 40_000, async () => {
      await installation.query('ALTER TABLE phone_calls SET (autovacuum_enabled = false)');
      await installation.query('ANALYZE');
    });
    const slow = new Set<string>();
    await eventually(async () => {
      const found = await installation.query<Body>(
        `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
          AND query_start < clock_timestamp() - interval '5 seconds'`,
      );
      for (const { query } of found) slow.add(query);
      return (await statistics()).created > 500;
    }, TIMEOUT);
    expect([...slow]).toEqual([]);
    for (const event of ['start', 'stop']) await api.post(`/api/callouts/${callout}/callout_events`, { event });
    await settled();
  });
});
