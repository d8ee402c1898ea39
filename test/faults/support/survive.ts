import { expectBooksToBalance, quiet } from './books.js';
import { Campaign } from './campaign.js';
import { form } from './form.js';
import { Ledger } from './ledger.js';
import type { World } from './world.js';

/**
 * Runs a campaign while `breaking` breaks things, and a client goes on writing. Then everything is mended; and once all is quiet, the books
 * must balance.
 */
export async function survive(world: World, breaking: (campaign: Campaign) => Promise<void>): Promise<void> {
  const ledger = new Ledger(world);
  ledger.open();
  const campaign = await Campaign.plan(world);
  await Promise.all([campaign.run(form.calls), breaking(campaign).then(() => world.mend())]);
  await campaign.stop();
  await ledger.close();
  await quiet(world);
  await expectBooksToBalance(world, ledger.accepted);
}
