import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Body } from '../support/api.js';
import { expectConsistentBookkeeping } from '../support/bookkeeping.js';
import { storedParticipations } from '../support/self-running.js';
import { logStep } from './support/log-step.js';
import { isFullProfile, profile } from './support/profile.js';
import { retryUntilAccepted, waitUntil } from './support/retry.js';
import { Testbed } from './support/testbed.js';

/** Phones ring as long as in life, and each call waits in the queue of the provider before it rings (s). */
const PROVIDER_SETTINGS = { SIMULATOR_SPEED: '1' };
const QUEUE_SECONDS = 6;

const SETTINGS = { RECALLS_PER_SECOND: '1000' };

/** Nobody is called twice, so that each person has one call at the provider at most. */
const PLAN = { remote_request_params: { from: '2442' }, retries: {} };

interface Scenario {
  name: string;
  /** What the provider does from the stop on. */
  create?: object;
  /** Whether each process with background work is killed right after the stop. */
  kills?: boolean;
  /** Whether the short form runs it. */
  isShort?: boolean;
}

const scenarios: Scenario[] = [
  { name: 'empties the queue of the provider long before its phones ring', isShort: true },
  { name: 'is carried out when the workers are killed right after it', kills: true },
  { name: 'is carried out by a provider that answers 429', create: { 429: 0.5 } },
  { name: 'is carried out by a provider that answers 500', create: { '500_before': 0.3, '500_after': 0.2 } },
  { name: 'is carried out by a provider that does not answer', create: { hang_before: 0.1, hang_after: 0.1 } },
  {
    name: 'is carried out when workers are killed and the provider fails in all ways',
    kills: true,
    create: { 429: 0.2, '500_before': 0.1, '500_after': 0.1, hang_before: 0.03, hang_after: 0.03 },
    isShort: true,
  },
];

describe.each([
  ['SQLite', () => Testbed.embedded({ environment: SETTINGS, providerSettings: PROVIDER_SETTINGS })],
  [
    'PostgreSQL',
    () =>
      Testbed.cluster(
        [
          ['web', SETTINGS],
          ['worker', SETTINGS],
          ['worker', SETTINGS],
        ],
        {},
        PROVIDER_SETTINGS,
      ),
  ],
])('a stop in the middle of a callout (%s)', (_, create) => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await create();
    await testbed.installation.insertContacts(profile.recalled);
  });
  afterAll(() => testbed?.remove());

  it.each(scenarios.filter(({ isShort }) => isShort || isFullProfile))('$name', async (scenario) => {
    await testbed.provider.put('/simulator/faults', { queue_seconds: QUEUE_SECONDS });
    const callout = await startCallout(testbed);
    const dialed = `SELECT count(*) AS count FROM phone_calls WHERE callout_id = ${callout} AND remote_call_id IS NOT NULL`;
    await waitUntil(async () => (await testbed.count(dialed)) >= profile.recalled / 2);

    await testbed.provider.put('/simulator/faults', { queue_seconds: QUEUE_SECONDS, create: scenario.create ?? {} });
    logStep('stop');
    const stopped = await retryUntilAccepted(() =>
      testbed.api.post(`/api/callouts/${callout}/callout_events`, { event: 'stop' }),
    );
    expect(stopped.body.status).toBe('stopped');
    if (scenario.kills) {
      const victims = testbed.workers.length > 0 ? testbed.workers : testbed.instances;
      await Promise.all(victims.map((victim) => victim.stop('SIGKILL')));
      await Promise.all(victims.map((victim) => victim.start()));
    }
    const receipt = await waitUntilSettled(testbed, callout);
    logStep(JSON.stringify(receipt));
    await testbed.restore();

    const { total, canceled, others, unknown, underWay, lastRing } = await compareWithProvider(testbed, callout);
    expect(underWay).toEqual([]);
    const { not_dialed, recalled, answered_before, could_not_recall, talking, done_before } = receipt as Record<
      string,
      number
    >;
    expect(recalled).toBe(canceled);
    expect(answered_before! + could_not_recall! + talking! + done_before!).toBe(others + unknown);
    expect(not_dialed).toBe(total - canceled - others - unknown);
    expect(recalled).toBeGreaterThan(0);
    logStep(`the last phone began to ring ${lastRing} s after the stop`);
    // Without the recall, all queued calls would ring, the last ones QUEUE_SECONDS after the stop.
    if (!scenario.kills && !scenario.create) expect(lastRing).toBeLessThan(QUEUE_SECONDS / 2);
    await expectConsistentBookkeeping(testbed.installation);
  });
});

/** Starts a callout to all contacts. @returns its id */
async function startCallout(testbed: Testbed): Promise<number> {
  const { body } = await testbed.api.post('/api/callouts', {
    call_flow_logic: 'CallFlowLogic::PlayMessage',
    metadata: { message: 'The water is rising.' },
    audience: { contact_filter_params: { metadata: { many: 'yes' } } },
    dial_plan: PLAN,
  });
  await testbed.api.post(`/api/callouts/${body.id}/callout_events`, { event: 'start' });
  return body.id;
}

/** Waits until the fate of each call is known. @returns the receipt */
async function waitUntilSettled(testbed: Testbed, callout: number): Promise<Body> {
  let receipt: Body = {};
  await waitUntil(async () => {
    receipt = (await testbed.api.get(`/api/callouts/${callout}/recall`)).body;
    return receipt.settled === true;
  });
  return receipt;
}

/** Compares the people of a callout with the provider's list, call by call. */
async function compareWithProvider(testbed: Testbed, callout: number) {
  const calls = await testbed.installation.query<{ remote_call_id: string | null; status: string }>(
    `SELECT remote_call_id, status FROM phone_calls WHERE callout_id = ${callout} AND dialled_at IS NOT NULL`,
  );
  const [recall] = await testbed.installation.query<{ at: string | Date }>(
    `SELECT max(requested_at) AS at FROM recalls WHERE callout_id = ${callout}`,
  );
  const bySid = new Map((await testbed.providerCalls()).map((call) => [call.sid, call]));
  const listed = calls.flatMap(({ remote_call_id }) => bySid.get(remote_call_id ?? '') ?? []);
  const canceled = listed.filter(({ status }) => status === 'canceled').length;
  const stoppedAt = new Date(recall!.at).getTime();
  const rings = listed.flatMap(({ start_time }) => (start_time === null ? [] : [Date.parse(start_time)]));
  const total = (await storedParticipations(testbed.installation, callout)).length;
  return {
    total,
    canceled,
    others: listed.length - canceled,
    /** Nobody knows whether the provider took the request. */
    unknown: calls.filter(({ remote_call_id, status }) => remote_call_id === null && status === 'errored').length,
    underWay: listed.filter(({ status }) => ['queued', 'ringing'].includes(status)),
    /** When the last phone began to ring (s after the stop). The provider shows whole seconds. */
    lastRing: Math.max(0, ...rings.map((at) => (at - stoppedAt) / 1_000)),
  };
}
