import { expectBooksToBalance, waitUntilIdle } from './books.js';
import { Campaign } from './campaign.js';
import { profile } from './profile.js';
import { Ledger } from './ledger.js';
import type { Testbed } from './testbed.js';

/**
 * Runs a campaign while `breaking` breaks things, and a client goes on writing. Then matchAll is mended; and once all is quiet, the books
 * must balance.
 */
export async function survive(testbed: Testbed, breaking: (campaign: Campaign) => Promise<void>): Promise<void> {
  const ledger = new Ledger(testbed);
  ledger.start();
  const campaign = await Campaign.create(testbed);
  await Promise.all([campaign.run(profile.calls), breaking(campaign).then(() => testbed.restore())]);
  await campaign.stop();
  await ledger.stop();
  await waitUntilIdle(testbed);
  await expectBooksToBalance(testbed, ledger.accepted);
}
