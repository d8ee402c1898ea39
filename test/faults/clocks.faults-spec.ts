import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Chance } from './support/chance.js';
import { MovableClock, wrongClock } from './support/clock.js';
import { form, isFull } from './support/form.js';
import { tell } from './support/story.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

/** Seconds by which a process's clock is wrong. */
const AHEAD = 120;
const BEHIND = -120;

/** The longest wait before a process is killed, or the clock moved (ms). */
const LONGEST = 1_500;

/** Within this time of a step of the clock, dialing goes on (ms). */
const GOES_ON_WITHIN = 60_000;

/** So many calls show that it does. */
const FURTHER_CALLS = 20;

describe.runIf(isFull)('clocks', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.cluster([
      ['web', wrongClock(AHEAD)],
      ['web', wrongClock(BEHIND)],
      ['worker', wrongClock(AHEAD)],
      ['worker', wrongClock(BEHIND)],
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

describe("the database's clock", () => {
  let world: World | undefined;
  let clock: MovableClock | undefined;

  afterAll(async () => {
    await world?.remove();
    clock?.remove();
  });

  it.each([
    ['SQLite', (moving: MovableClock) => World.embedded({ environment: moving.environment })],
    ['PostgreSQL', (moving: MovableClock) => World.cluster(undefined, moving.environment)],
  ])(
    'may jump back and forward by hours: dialing goes on, nobody is forgotten or rung twice (%s)',
    async (_, create) => {
      await world?.remove();
      clock = new MovableClock();
      world = await create(clock);
      world.timeless = true;
      await world.installation.makeContacts(form.people);
      const chance = new Chance('steps');
      await survive(world, async (campaign) => {
        for (const hours of form.steps) {
          await pause(chance.between(0, LONGEST));
          await campaign.rings(1);
          const before = await databaseHour(world!);
          clock!.set(hours * 3_600);
          tell(`the database's clock is at ${hours} hours`);
          // What was planned by the clock of before lies hours ahead now, or is long over.
          await eventually(async () => (await databaseHour(world!)) !== before, GOES_ON_WITHIN);
          const rung = campaign.rings(FURTHER_CALLS);
          const late = pause(GOES_ON_WITHIN, 'late', { ref: false });
          expect(await Promise.race([rung, late])).not.toBe('late');
        }
      });
    },
  );
});

/** The hour of the day by the database's clock, as the program sees it. */
async function databaseHour(world: World): Promise<number> {
  const made = await world.api.post('/api/callouts');
  return Math.floor(Date.parse(made.body?.created_at) / 3_600_000);
}
