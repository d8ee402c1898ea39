import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The longest delay between two faults, and the longest fault (ms). */
const LONGEST_DELAY = 2_000;

/** How long Redis pauses its clients (ms). The health check times out and jobs are retried within that time. */
const CLIENT_PAUSE = 3_000;

describe('the cluster survives when Redis', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster();
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  const repeatFault = (name: string, injectFault: (random: SeededRandom) => Promise<void>) =>
    survive(testbed, async () => {
      const random = new SeededRandom(name);
      for (let times = 0; times < profile.outages; times++) {
        await pause(random.integer(0, LONGEST_DELAY));
        await injectFault(random);
      }
    });

  const command = async (...words: [string, ...string[]]): Promise<void> => {
    logStep(`Redis: ${words.join(' ')}`);
    const redis = new Redis(testbed.servers.redis.url);
    await redis.call(...words);
    redis.disconnect();
  };

  it('is stopped and restarted without its data', () =>
    repeatFault('redis away', async (random) => {
      logStep('Redis is stopped');
      await testbed.servers.redis.stop(random.pick(['SIGTERM', 'SIGKILL'] as const));
      await pause(random.integer(0, LONGEST_DELAY));
      await testbed.servers.redis.start();
    }));

  it.runIf(isFullProfile)('is flushed', () => repeatFault('redis flushed', () => command('FLUSHALL')));

  it.runIf(isFullProfile)('responds slowly', () =>
    repeatFault('redis slow', async (random) => {
      const delay = random.integer(50, 500);
      logStep(`Redis is delayed by ${delay} ms`);
      testbed.servers.redisProxy.setDelay(delay);
      await pause(random.integer(0, LONGEST_DELAY));
      await command('CLIENT', 'PAUSE', String(CLIENT_PAUSE), 'ALL');
    }),
  );
});
