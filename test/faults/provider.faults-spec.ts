import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

type Faults = Parameters<Testbed['setFaults']>[0];

/** Each fault of the simulator by itself. */
const alone: [string, Faults][] = [
  ['refuses for a moment', { create: { 429: 0.3 } }],
  ['fails before it takes a call', { create: { '500_before': 0.1 } }],
  ['fails after it took a call', { create: { '500_after': 0.2 } }],
  ['takes no call and never answers', { create: { hang_before: 0.02 } }],
  ['takes a call and never answers', { create: { hang_after: 0.02 } }],
  ['loses callbacks', { callbacks: { lost: 0.7 } } as Faults],
  ['delays callbacks', { callbacks: { late: 0.3 } } as Faults],
  ['mixes up callbacks', { callbacks: { reordered: 0.5 } } as Faults],
  ['repeats callbacks', { callbacks: { doubled: 0.5 } }],
];

/** Nothing but its list of calls tells that a call was taken. */
const silent: [string, Faults] = [
  'takes calls, says that it failed, and loses all callbacks',
  { create: { '500_after': 0.3 }, callbacks: { lost: 1 } as object },
];

const mixed: [string, Faults] = [
  'does all of it',
  {
    create: { 429: 0.05, '500_before': 0.05, '500_after': 0.1, hang_before: 0.02, hang_after: 0.02 },
    callbacks: { lost: 0.2, doubled: 0.2, late: 0.1, reordered: 0.1 } as object,
  },
];

/** How long the account is barred each time, in milliseconds. */
const BARRED = 1_500;

describe('the provider', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster();
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  it(`is away altogether for ${profile.unplugged / 1_000} s`, () =>
    survive(testbed, async (campaign) => {
      await campaign.waitForCalls(1);
      logStep('the provider is gone');
      await testbed.providerProxy.close();
      await pause(profile.unplugged);
      logStep('the provider is back');
      await testbed.providerProxy.open();
    }));

  it.runIf(isFullProfile)('bars the account, and breaks off connections', () =>
    survive(testbed, async (campaign) => {
      const chance = new SeededRandom('barred');
      for (const account of [20003, 10004, 22005]) {
        await campaign.waitForCalls(1);
        logStep(`the account is barred: ${account}`);
        await testbed.setFaults({ account });
        await pause(BARRED);
        await testbed.setFaults({});
        await campaign.waitForCalls(1);
        await pause(chance.integer(0, BARRED));
        logStep('all connections to the provider are broken off');
        testbed.providerProxy.dropConnections();
      }
    }),
  );

  it.each([...(isFullProfile ? alone : []), silent, mixed])('%s', (_, faults) =>
    survive(testbed, async (campaign) => {
      await testbed.setFaults(faults);
      await campaign.waitForCalls(profile.calls);
    }),
  );
});
