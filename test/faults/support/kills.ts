import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectBooksToBalance, quiet } from './books.js';
import { Campaign } from './campaign.js';
import type { Chance } from './chance.js';
import { form } from './form.js';
import { Ledger } from './ledger.js';
import type { Place } from './place.js';
import { tell } from './story.js';
import type { World } from './world.js';

/** Kills in one campaign: while it is populated, gets its calls, queues them, dials them, and hears of them. */
const KILLS_A_CAMPAIGN = 5;

/**
 * Has campaigns run, kills a process at a random moment of each of their parts, and lets it come back; the books must balance in the end.
 * @param longest that a part has been under way by then, in milliseconds
 * @param victims of which one is killed while calls are dialled, and while they are heard of; else any
 */
export async function surviveKills(
  world: World,
  chance: Chance,
  longest: number,
  { dialling = world.places, hearing = world.places }: { dialling?: readonly Place[]; hearing?: readonly Place[] } = {},
): Promise<void> {
  const ledger = new Ledger(world);
  ledger.open();
  const during = async (work: Promise<void>, victims: readonly Place[] = world.places): Promise<void> => {
    await pause(chance.between(0, longest));
    const victim = chance.of(victims);
    tell(`kill ${victim.name}`);
    await victim.stop('SIGKILL');
    await victim.start();
    await work;
  };
  for (let round = 0; round < form.kills / KILLS_A_CAMPAIGN; round++) {
    const campaign = await Campaign.plan(world);
    await during(campaign.populate());
    await during(campaign.create());
    await during(campaign.queue());
    await during(campaign.rings(form.calls), dialling);
    await during(campaign.rings(form.calls), hearing);
    await campaign.stop();
  }
  await ledger.close();
  await quiet(world);
  expect(ledger.accepted.contacts.length).toBeGreaterThan(0);
  await expectBooksToBalance(world, ledger.accepted);
}
