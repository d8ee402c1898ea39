import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { waitUntilIdle } from './idle.js';
import { expectBooksToBalance } from './books.js';
import { Campaign } from './campaign.js';
import type { SeededRandom } from './seeded-random.js';
import { profile } from './profile.js';
import { Ledger } from './ledger.js';
import type { Instance } from './instance.js';
import { logStep } from './log-step.js';
import type { Testbed } from './testbed.js';

/** One kill in each phase of a campaign: population, creation, queueing, dialing, and webhooks. */
const KILLS_PER_CAMPAIGN = 5;

/**
 * Runs campaigns, kills a process at a random moment of each phase, and restarts it. Asserts that the books balance at
 * the end.
 *
 * @param longest the longest delay between the start of a phase and the kill (ms)
 * @param victims the instances of which one is killed during dialing, and during webhooks. The default, as in the other
 *   phases, is any.
 */
export async function surviveKills(
  testbed: Testbed,
  random: SeededRandom,
  longest: number,
  {
    dialing = testbed.instances,
    webhooks = testbed.instances,
  }: { dialing?: readonly Instance[]; webhooks?: readonly Instance[] } = {},
): Promise<void> {
  const ledger = new Ledger(testbed);
  ledger.start();
  const killDuring = async (work: Promise<void>, victims: readonly Instance[] = testbed.instances): Promise<void> => {
    await pause(random.integer(0, longest));
    const victim = random.pick(victims);
    logStep(`kill ${victim.name}`);
    await victim.stop('SIGKILL');
    await victim.start();
    await work;
  };
  for (let round = 0; round < profile.kills / KILLS_PER_CAMPAIGN; round++) {
    const campaign = await Campaign.create(testbed);
    await killDuring(campaign.populate());
    await killDuring(campaign.createCalls());
    await killDuring(campaign.queueCalls());
    await killDuring(campaign.waitForCalls(profile.calls), dialing);
    await killDuring(campaign.waitForCalls(profile.calls), webhooks);
    await campaign.stop();
  }
  await ledger.stop();
  await waitUntilIdle(testbed);
  expect(ledger.accepted.contacts.length).toBeGreaterThan(0);
  await expectBooksToBalance(testbed, ledger.accepted);
}
