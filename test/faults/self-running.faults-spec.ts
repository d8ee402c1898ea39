import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance } from './support/books.js';
import { MovableClock } from './support/clock.js';
import { waitUntilIdle } from './support/idle.js';
import { Ledger } from './support/ledger.js';
import { logStep } from './support/log-step.js';
import { profile } from './support/profile.js';
import { SeededRandom } from './support/seeded-random.js';
import { SelfRunningCallout } from './support/self-running-callout.js';
import { Testbed } from './support/testbed.js';

/** The longest delay between two faults (ms). */
const LONGEST_DELAY = 1_500;

/** The share of people who opt out in each test. The others are called. */
const MOST_OPT_OUTS = 0.1;

/** What the provider does all the time. */
const PROVIDER_FAULTS = {
  create: { 429: 0.05, '500_before': 0.02, '500_after': 0.05, hang_before: 0.01, hang_after: 0.01 },
  callbacks: { lost: 0.05, late: 0.05, reordered: 0.1 } as object,
};

type Fault = () => Promise<void>;

/**
 * Runs callouts that run themselves until all faults have happened, each at a random moment of a callout. Asserts that
 * each callout completes itself and that the books balance.
 */
async function surviveAll(testbed: Testbed, random: SeededRandom, faults: Fault[]): Promise<void> {
  const ledger = new Ledger(testbed, MOST_OPT_OUTS * profile.planned);
  ledger.start();
  const left = [...faults];
  while (left.length > 0) {
    const callout = await SelfRunningCallout.start(testbed);
    await testbed.setFaults(PROVIDER_FAULTS);
    await callout.waitForAttempt();
    do {
      await pause(random.integer(0, LONGEST_DELAY));
      await left.shift()!();
    } while (left.length > 0 && !(await callout.isCompleted()));
    await testbed.restore();
    await callout.waitUntilCompleted();
  }
  await ledger.stop();
  await waitUntilIdle(testbed);
  await expectBooksToBalance(testbed, ledger.accepted);
}

describe.each([
  ['SQLite', (clock: MovableClock) => Testbed.embedded({ environment: clock.environment })],
  ['PostgreSQL', (clock: MovableClock) => Testbed.cluster([['web'], ['worker'], ['worker']], clock.environment)],
])('callouts that run themselves (%s)', (name, create) => {
  let testbed: Testbed;
  const clock = new MovableClock();

  afterAll(async () => {
    await testbed?.remove();
    clock.remove();
  });

  it(`call nobody twice and forget nobody when ${profile.plannedKills} processes are killed`, async () => {
    testbed = await create(clock);
    await testbed.installation.insertContacts(profile.planned);
    const random = new SeededRandom(`self-running ${name}`);
    const kill = async (): Promise<void> => {
      const victim = random.pick(testbed.instances);
      logStep(`kill ${victim.name}`);
      await victim.stop('SIGKILL');
      if (name === 'PostgreSQL' && random.integer(0, 1) === 0) await flushRedis(testbed);
      await victim.start();
    };
    await surviveAll(
      testbed,
      random,
      Array.from({ length: profile.plannedKills }, () => kill),
    );
  });

  it("call nobody twice and forget nobody when the database's clock jumps by hours", async () => {
    testbed.hasClockMoved = true;
    const move = (hours: number) => async (): Promise<void> => {
      logStep(`the database's clock is ${hours} hours ahead`);
      clock.setOffset(hours * 3_600);
    };
    expect(testbed.selfRunning.length).toBeGreaterThan(0);
    await surviveAll(testbed, new SeededRandom(`clock of ${name}`), profile.clockOffsets.map(move));
  });
});

async function flushRedis({ servers }: Testbed): Promise<void> {
  logStep('Redis is flushed');
  const redis = new Redis(servers.redis.url);
  await redis.flushall();
  redis.disconnect();
}
