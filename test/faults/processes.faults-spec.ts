import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance, quiet } from './support/books.js';
import { Campaign } from './support/campaign.js';
import { Chance } from './support/chance.js';
import { form, isFull } from './support/form.js';
import { patiently } from './support/insist.js';
import { tell } from './support/story.js';
import { surviveKills } from './support/kills.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

/** The moments of a campaign at which a process is killed: one after the other, and each a random while after it began. */
const LONGEST_WAIT = 700;

describe('processes of a cluster', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.cluster([['web'], ['web'], ['worker'], ['worker']]);
    await world.installation.makeContacts(form.people);
  });
  afterAll(() => world.remove());

  it(`lose and repeat nothing when ${form.kills} of them are killed at random moments`, async () => {
    const victims = { dialling: world.workers, hearing: world.webs };
    await surviveKills(world, new Chance('kills'), LONGEST_WAIT, victims);
  });

  it.runIf(isFull)('are replaced one by one under load, each in good order', async () => {
    await survive(world, async () => {
      for (const place of world.places) {
        tell(`replace ${place.name}`);
        expect(await place.stop('SIGTERM')).toBe(0);
        await place.start();
      }
    });
  });

  it.runIf(isFull)('do nothing twice when one sleeps beyond every lease, and wakes', async () => {
    const chance = new Chance('sleeper');
    const campaign = await Campaign.plan(world);
    const sleeper = chance.of(world.workers);
    const asleep = async (): Promise<void> => {
      tell(`${sleeper.name} sleeps`);
      sleeper.signal('SIGSTOP');
      const since = Date.now();
      await patiently(async () => {
        const held = await world.count(
          `SELECT (SELECT count(*) FROM batch_operations WHERE leased_until < clock_timestamp() AND lease_token IS NOT NULL)
            + (SELECT count(*) FROM phone_calls WHERE status = 'queued' AND lease_token IS NOT NULL
              AND leased_until < clock_timestamp()) AS count`,
        );
        return held === 0 && Date.now() - since > form.slept;
      });
      sleeper.signal('SIGCONT');
    };
    const populated = campaign.populate();
    await pause(chance.between(0, LONGEST_WAIT));
    await asleep();
    await populated;
    await campaign.create();
    const dialled = campaign.queue().then(() => campaign.rings(form.calls));
    await pause(chance.between(0, LONGEST_WAIT));
    await asleep();
    await dialled;
    await campaign.stop();
    await quiet(world);
    await expectBooksToBalance(world);
  });
});
