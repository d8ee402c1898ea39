import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { SeededRandom } from './support/seeded-random.js';
import { MovableClock, skewedClock } from './support/clock.js';
import { profile, isFullProfile } from './support/profile.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** Seconds by which a process's clock is wrong. */
const AHEAD = 120;
const BEHIND = -120;

/** The longest wait before a process is killed, or the clock moved (ms). */
const LONGEST = 1_500;

/** Within this time of a step of the clock, dialing goes on (ms). */
const GOES_ON_WITHIN = 60_000;

/** So many calls show that it does. */
const FURTHER_CALLS = 20;

describe.runIf(isFullProfile)('clocks', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster([
      ['web', skewedClock(AHEAD)],
      ['web', skewedClock(BEHIND)],
      ['worker', skewedClock(AHEAD)],
      ['worker', skewedClock(BEHIND)],
    ]);
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  it('that are minutes apart, from each other and from the database, make no difference, also when a process is killed', async () => {
    const wrong = await Promise.all(
      testbed.instances.map(async ({ url }) => {
        const { headers } = await new Api(url).get('/health/live');
        return Math.round((Date.parse(headers.get('date')!) - Date.now()) / 60_000);
      }),
    );
    expect(wrong).toEqual([2, -2, 2, -2]);
    const chance = new SeededRandom('clocks');
    await survive(testbed, async (campaign) => {
      for (const place of testbed.workers) {
        await pause(chance.integer(0, LONGEST));
        logStep(`kill ${place.name}`);
        await place.stop('SIGKILL');
        await place.start();
      }
      await campaign.waitForCalls(1);
    });
  });
});

describe("the database's clock", () => {
  let testbed: Testbed | undefined;
  let clock: MovableClock | undefined;

  afterAll(async () => {
    await testbed?.remove();
    clock?.remove();
  });

  it.each([
    ['SQLite', (moving: MovableClock) => Testbed.embedded({ environment: moving.environment })],
    ['PostgreSQL', (moving: MovableClock) => Testbed.cluster(undefined, moving.environment)],
  ])(
    'may jump back and forward by hours: dialing goes on, nobody is forgotten or rung twice (%s)',
    async (_, create) => {
      await testbed?.remove();
      clock = new MovableClock();
      testbed = await create(clock);
      testbed.hasClockMoved = true;
      await testbed.installation.insertContacts(profile.people);
      const chance = new SeededRandom('steps');
      await survive(testbed, async (campaign) => {
        for (const hours of profile.steps) {
          await pause(chance.integer(0, LONGEST));
          await campaign.waitForCalls(1);
          const before = await databaseHour(testbed!);
          clock!.setOffset(hours * 3_600);
          logStep(`the database's clock is at ${hours} hours`);
          // What was planned by the clock of before lies hours ahead now, or is long over.
          await eventually(async () => (await databaseHour(testbed!)) !== before, GOES_ON_WITHIN);
          const rung = campaign.waitForCalls(FURTHER_CALLS);
          const late = pause(GOES_ON_WITHIN, 'late', { ref: false });
          expect(await Promise.race([rung, late])).not.toBe('late');
        }
      });
    },
  );
});

/** The hour of the day by the database's clock, as the program sees it. */
async function databaseHour(testbed: Testbed): Promise<number> {
  const made = await testbed.api.post('/api/callouts');
  return Math.floor(Date.parse(made.body?.created_at) / 3_600_000);
}
