import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance, waitUntilIdle } from './support/books.js';
import { Campaign } from './support/campaign.js';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { waitUntil } from './support/retry.js';
import { logStep } from './support/log-step.js';
import { surviveKills } from './support/survive-kills.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The moments of a campaign at which a process is killed: one after the other, and each a random while after it began. */
const LONGEST_WAIT = 700;

describe('processes of a cluster', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster([['web'], ['web'], ['worker'], ['worker']]);
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  it(`lose and repeat nothing when ${profile.kills} of them are killed at random moments`, async () => {
    const victims = { dialling: testbed.workers, hearing: testbed.webs };
    await surviveKills(testbed, new SeededRandom('kills'), LONGEST_WAIT, victims);
  });

  it.runIf(isFullProfile)('are replaced one by one under load, each in good order', async () => {
    await survive(testbed, async () => {
      for (const place of testbed.instances) {
        logStep(`replace ${place.name}`);
        expect(await place.stop('SIGTERM')).toBe(0);
        await place.start();
      }
    });
  });

  it.runIf(isFullProfile)('do nothing twice when one sleeps beyond every lease, and wakes', async () => {
    const chance = new SeededRandom('sleeper');
    const campaign = await Campaign.create(testbed);
    const sleeper = chance.pick(testbed.workers);
    const asleep = async (): Promise<void> => {
      logStep(`${sleeper.name} sleeps`);
      sleeper.signal('SIGSTOP');
      const since = Date.now();
      await waitUntil(async () => {
        const held = await testbed.count(
          `SELECT (SELECT count(*) FROM batch_operations WHERE leased_until < clock_timestamp() AND lease_token IS NOT NULL)
            + (SELECT count(*) FROM phone_calls WHERE status = 'queued' AND lease_token IS NOT NULL
              AND leased_until < clock_timestamp()) AS count`,
        );
        return held === 0 && Date.now() - since > profile.slept;
      });
      sleeper.signal('SIGCONT');
    };
    const populated = campaign.populate();
    await pause(chance.integer(0, LONGEST_WAIT));
    await asleep();
    await populated;
    await campaign.createCalls();
    const dialled = campaign.queueCalls().then(() => campaign.waitForCalls(profile.calls));
    await pause(chance.integer(0, LONGEST_WAIT));
    await asleep();
    await dialled;
    await campaign.stop();
    await waitUntilIdle(testbed);
    await expectBooksToBalance(testbed);
  });
});
