import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

type Faults = Parameters<Testbed['setFaults']>[0];

/** The simulator's faults, one by one. */
const singleFaults: [string, Faults][] = [
  ['refuses some calls with 429', { create: { 429: 0.3 } }],
  ['fails before it accepts a call', { create: { '500_before': 0.1 } }],
  ['fails after it has accepted a call', { create: { '500_after': 0.2 } }],
  ['never responds and does not accept the call', { create: { hang_before: 0.02 } }],
  ['never responds but accepts the call', { create: { hang_after: 0.02 } }],
  ['loses callbacks', { callbacks: { lost: 0.7 } } as Faults],
  ['delays callbacks', { callbacks: { late: 0.3 } } as Faults],
  ['reorders callbacks', { callbacks: { reordered: 0.5 } } as Faults],
  ['repeats callbacks', { callbacks: { doubled: 0.5 } }],
];

/** Only the provider's list of calls shows that a call was accepted. */
const withoutCallbacks: [string, Faults] = [
  'accepts calls with an error response, and loses all callbacks',
  { create: { '500_after': 0.3 }, callbacks: { lost: 1 } as object },
];

const combinedFaults: [string, Faults] = [
  'has all faults at the same time',
  {
    create: { 429: 0.05, '500_before': 0.05, '500_after': 0.1, hang_before: 0.02, hang_after: 0.02 },
    callbacks: { lost: 0.2, doubled: 0.2, late: 0.1, reordered: 0.1 } as object,
  },
];

/** How long the account is blocked each time (ms). */
const BLOCKED_FOR = 1_500;

describe('the cluster survives when the provider', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster();
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  it(`is unreachable for ${profile.providerOutage / 1_000} s`, () =>
    survive(testbed, async (campaign) => {
      await campaign.waitForCalls(1);
      logStep('the provider is unreachable');
      await testbed.providerProxy.close();
      await pause(profile.providerOutage);
      logStep('the provider is reachable');
      await testbed.providerProxy.open();
    }));

  it.runIf(isFullProfile)('blocks the account, and drops connections', () =>
    survive(testbed, async (campaign) => {
      const random = new SeededRandom('barred');
      for (const account of [20003, 10004, 22005]) {
        await campaign.waitForCalls(1);
        logStep(`the account is blocked: ${account}`);
        await testbed.setFaults({ account });
        await pause(BLOCKED_FOR);
        await testbed.setFaults({});
        await campaign.waitForCalls(1);
        await pause(random.integer(0, BLOCKED_FOR));
        logStep('all connections to the provider are dropped');
        testbed.providerProxy.dropConnections();
      }
    }),
  );

  it.each([...(isFullProfile ? singleFaults : []), withoutCallbacks, combinedFaults])('%s', (_, faults) =>
    survive(testbed, async (campaign) => {
      await testbed.setFaults(faults);
      await campaign.waitForCalls(profile.calls);
    }),
  );
});
