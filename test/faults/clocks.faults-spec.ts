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

/** The offset of a process's clock (s). */
const AHEAD = 120;
const BEHIND = -120;

/** The longest delay before a process is killed or the clock is moved (ms). */
const LONGEST_DELAY = 1_500;

/** How soon dialing must continue after the clock has moved (ms). */
const RESUME_TIMEOUT = 60_000;

/** The number of calls that show that dialing continues. */
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

  it('may differ by minutes between processes and the database, even when a process is killed', async () => {
    const offsets = await Promise.all(
      testbed.instances.map(async ({ url }) => {
        const { headers } = await new Api(url).get('/health/live');
        return Math.round((Date.parse(headers.get('date')!) - Date.now()) / 60_000);
      }),
    );
    expect(offsets).toEqual([2, -2, 2, -2]);
    const random = new SeededRandom('clocks');
    await survive(testbed, async (campaign) => {
      for (const instance of testbed.workers) {
        await pause(random.integer(0, LONGEST_DELAY));
        logStep(`kill ${instance.name}`);
        await instance.stop('SIGKILL');
        await instance.start();
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
  ])('may jump by hours without a call that is lost, repeated or long delayed (%s)', async (_, create) => {
    await testbed?.remove();
    clock = new MovableClock();
    testbed = await create(clock);
    testbed.hasClockMoved = true;
    await testbed.installation.insertContacts(profile.people);
    const random = new SeededRandom('steps');
    await survive(testbed, async (campaign) => {
      for (const hours of profile.clockOffsets) {
        await pause(random.integer(0, LONGEST_DELAY));
        await campaign.waitForCalls(1);
        const before = await databaseHour(testbed!);
        clock!.setOffset(hours * 3_600);
        logStep(`the database's clock is ${hours} hours ahead`);
        // Deadlines that were set before the step are now hours ahead, or long over.
        await eventually(async () => (await databaseHour(testbed!)) !== before, RESUME_TIMEOUT);
        const resumed = campaign.waitForCalls(FURTHER_CALLS);
        const timeout = pause(RESUME_TIMEOUT, 'timeout', { ref: false });
        expect(await Promise.race([resumed, timeout])).not.toBe('timeout');
      }
    });
  });
});

/** @returns hours since 1970 by the database's clock, read from the timestamp of a new callout */
async function databaseHour(testbed: Testbed): Promise<number> {
  const created = await testbed.api.post('/api/callouts');
  return Math.floor(Date.parse(created.body?.created_at) / 3_600_000);
}
