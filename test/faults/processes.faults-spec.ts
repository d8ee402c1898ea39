import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance } from './support/books.js';
import { waitUntilIdle } from './support/idle.js';
import { Campaign } from './support/campaign.js';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { waitUntil } from './support/retry.js';
import { logStep } from './support/log-step.js';
import { surviveKills } from './support/survive-kills.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The longest delay between the start of a campaign's phase and a fault (ms). */
const LONGEST_DELAY = 700;

describe('processes of a cluster', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster([['web'], ['web'], ['worker'], ['worker']]);
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  it(`lose and repeat nothing when ${profile.kills} are killed at random moments`, async () => {
    const victims = { dialing: testbed.workers, webhooks: testbed.webs };
    await surviveKills(testbed, new SeededRandom('kills'), LONGEST_DELAY, victims);
  });

  it.runIf(isFullProfile)('shut down cleanly when they are replaced one by one under load', async () => {
    await survive(testbed, async () => {
      for (const instance of testbed.instances) {
        logStep(`replace ${instance.name}`);
        expect(await instance.stop('SIGTERM')).toBe(0);
        await instance.start();
      }
    });
  });

  it.runIf(isFullProfile)('repeat nothing when one is suspended until all of its leases have expired', async () => {
    const random = new SeededRandom('sleeper');
    const campaign = await Campaign.create(testbed);
    const suspended = random.pick(testbed.workers);
    const suspend = async (): Promise<void> => {
      logStep(`suspend ${suspended.name}`);
      suspended.signal('SIGSTOP');
      const since = Date.now();
      await waitUntil(async () => {
        const held = await testbed.count(
          `SELECT (SELECT count(*) FROM batch_operations WHERE leased_until < clock_timestamp() AND lease_token IS NOT NULL)
            + (SELECT count(*) FROM phone_calls WHERE status = 'queued' AND lease_token IS NOT NULL
              AND leased_until < clock_timestamp()) AS count`,
        );
        return held === 0 && Date.now() - since > profile.sleep;
      });
      suspended.signal('SIGCONT');
    };
    const populated = campaign.populate();
    await pause(random.integer(0, LONGEST_DELAY));
    await suspend();
    await populated;
    await campaign.createCalls();
    const allCalled = campaign.queueCalls().then(() => campaign.waitForCalls(profile.calls));
    await pause(random.integer(0, LONGEST_DELAY));
    await suspend();
    await allCalled;
    await campaign.stop();
    await waitUntilIdle(testbed);
    await expectBooksToBalance(testbed);
  });
});
