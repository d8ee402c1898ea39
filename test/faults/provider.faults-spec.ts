import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Chance } from './support/chance.js';
import { form, isFull } from './support/form.js';
import { tell } from './support/story.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

type Faults = Parameters<World['faults']>[0];

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
  let world: World;

  beforeAll(async () => {
    world = await World.cluster();
    await world.installation.makeContacts(form.people);
  });
  afterAll(() => world.remove());

  it(`is away altogether for ${form.unplugged / 1_000} s`, () =>
    survive(world, async (campaign) => {
      await campaign.rings(1);
      tell('the provider is gone');
      await world.providerGate.close();
      await pause(form.unplugged);
      tell('the provider is back');
      await world.providerGate.open();
    }));

  it.runIf(isFull)('bars the account, and breaks off connections', () =>
    survive(world, async (campaign) => {
      const chance = new Chance('barred');
      for (const account of [20003, 10004, 22005]) {
        await campaign.rings(1);
        tell(`the account is barred: ${account}`);
        await world.faults({ account });
        await pause(BARRED);
        await world.faults({});
        await campaign.rings(1);
        await pause(chance.between(0, BARRED));
        tell('all connections to the provider are broken off');
        world.providerGate.breakOff();
      }
    }),
  );

  it.each([...(isFull ? alone : []), silent, mixed])('%s', (_, faults) =>
    survive(world, async (campaign) => {
      await world.faults(faults);
      await campaign.rings(form.calls);
    }),
  );
});
