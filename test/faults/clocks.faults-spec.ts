import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.js';
import { findPrograms } from '../../scripts/servers.mjs';
import { Chance } from './support/chance.js';
import { form, isFull } from './support/form.js';
import { tell } from './support/story.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

/** Seconds by which a process's clock is wrong. */
const AHEAD = 120;
const BEHIND = -120;

/** The longest that it is waited before a process is killed, in milliseconds. */
const LONGEST = 1_500;

/** The environment in which a program takes the time for so many seconds later. Timers go on by the true time. */
function clock(seconds: number): Record<string, string> {
  const { faketime } = findPrograms({ faketime: 'faketime' });
  const shift = `${seconds < 0 ? '' : '+'}${seconds}s`;
  const environment = execFileSync(faketime!, ['-f', shift, 'env'], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  });
  const preload = /^LD_PRELOAD=(.+)$/m.exec(environment)![1]!;
  return { LD_PRELOAD: preload, FAKETIME: shift, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

describe.runIf(isFull)('clocks', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.cluster([
      ['web', clock(AHEAD)],
      ['web', clock(BEHIND)],
      ['worker', clock(AHEAD)],
      ['worker', clock(BEHIND)],
    ]);
    await world.installation.makeContacts(form.people);
  });
  afterAll(() => world.remove());

  it('that are minutes apart, from each other and from the database, make no difference, also when a process is killed', async () => {
    const wrong = await Promise.all(
      world.places.map(async ({ url }) => {
        const { headers } = await new Api(url).get('/health/live');
        return Math.round((Date.parse(headers.get('date')!) - Date.now()) / 60_000);
      }),
    );
    expect(wrong).toEqual([2, -2, 2, -2]);
    const chance = new Chance('clocks');
    await survive(world, async (campaign) => {
      for (const place of world.workers) {
        await pause(chance.between(0, LONGEST));
        tell(`kill ${place.name}`);
        await place.stop('SIGKILL');
        await place.start();
      }
      await campaign.rings(1);
    });
  });
});
