import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The longest time between two breaks, and that one lasts, in milliseconds. */
const LONGEST = 2_000;

/** Longer than the health check waits for Redis, and than the pause between two tries of a job, in milliseconds. */
const SLUGGISH = 3_000;

describe('Redis', () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.cluster();
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(() => testbed.remove());

  const again = (name: string, act: (chance: SeededRandom) => Promise<void>) =>
    survive(testbed, async () => {
      const chance = new SeededRandom(name);
      for (let times = 0; times < profile.breaks; times++) {
        await pause(chance.integer(0, LONGEST));
        await act(chance);
      }
    });

  const command = async (...words: [string, ...string[]]): Promise<void> => {
    logStep(`Redis: ${words.join(' ')}`);
    const redis = new Redis(testbed.servers.redis.url);
    await redis.call(...words);
    redis.disconnect();
  };

  it('goes away, forgets matchAll, and comes back', () =>
    again('redis away', async (chance) => {
      logStep('Redis is gone');
      await testbed.servers.redis.stop(chance.pick(['SIGTERM', 'SIGKILL'] as const));
      await pause(chance.integer(0, LONGEST));
      await testbed.servers.redis.start();
    }));

  it.runIf(isFullProfile)('is flushed', () => again('redis flushed', () => command('FLUSHALL')));

  it.runIf(isFullProfile)('answers slowly', () =>
    again('redis slow', async (chance) => {
      const delay = chance.integer(50, 500);
      logStep(`Redis is ${delay} ms away`);
      testbed.servers.redisProxy.setDelay(delay);
      await pause(chance.integer(0, LONGEST));
      await command('CLIENT', 'PAUSE', String(SLUGGISH), 'ALL');
    }),
  );
});
