import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectBooksToBalance, waitUntilIdle } from './books.js';
import { Campaign } from './campaign.js';
import type { SeededRandom } from './seeded-random.js';
import { profile } from './profile.js';
import { Ledger } from './ledger.js';
import type { Instance } from './instance.js';
import { logStep } from './log-step.js';
import type { Testbed } from './testbed.js';

/** Kills in one campaign: while it is populated, gets its calls, queues them, dials them, and hears of them. */
const KILLS_PER_CAMPAIGN = 5;

/**
 * Has campaigns run, kills a process at a random moment of each of their parts, and lets it come back; the books must balance in the end.
 * @param longest that a part has been under way by then, in milliseconds
 * @param victims of which one is killed while calls are dialled, and while they are heard of; else any
 */
export async function surviveKills(
  testbed: Testbed,
  chance: SeededRandom,
  longest: number,
  {
    dialling = testbed.instances,
    hearing = testbed.instances,
  }: { dialling?: readonly Instance[]; hearing?: readonly Instance[] } = {},
): Promise<void> {
  const ledger = new Ledger(testbed);
  ledger.start();
  const during = async (work: Promise<void>, victims: readonly Instance[] = testbed.instances): Promise<void> => {
    await pause(chance.integer(0, longest));
    const victim = chance.pick(victims);
    logStep(`kill ${victim.name}`);
    await victim.stop('SIGKILL');
    await victim.start();
    await work;
  };
  for (let round = 0; round < profile.kills / KILLS_PER_CAMPAIGN; round++) {
    const campaign = await Campaign.create(testbed);
    await during(campaign.populate());
    await during(campaign.createCalls());
    await during(campaign.queueCalls());
    await during(campaign.waitForCalls(profile.calls), dialling);
    await during(campaign.waitForCalls(profile.calls), hearing);
    await campaign.stop();
  }
  await ledger.stop();
  await waitUntilIdle(testbed);
  expect(ledger.accepted.contacts.length).toBeGreaterThan(0);
  await expectBooksToBalance(testbed, ledger.accepted);
}
