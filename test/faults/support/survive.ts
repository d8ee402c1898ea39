import { waitUntilIdle } from './idle.js';
import { expectBooksToBalance } from './books.js';
import { Campaign } from './campaign.js';
import { profile } from './profile.js';
import { Ledger } from './ledger.js';
import type { Testbed } from './testbed.js';

/**
 * Runs a campaign and a ledger during faults, restores the testbed, and asserts that the books balance once it is idle.
 *
 * @param injectFaults causes the faults
 */
export async function survive(testbed: Testbed, injectFaults: (campaign: Campaign) => Promise<void>): Promise<void> {
  const ledger = new Ledger(testbed);
  ledger.start();
  const campaign = await Campaign.create(testbed);
  await Promise.all([campaign.run(profile.calls), injectFaults(campaign).then(() => testbed.restore())]);
  await campaign.stop();
  await ledger.stop();
  await waitUntilIdle(testbed);
  await expectBooksToBalance(testbed, ledger.accepted);
}
