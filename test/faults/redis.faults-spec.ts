import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Chance } from './support/chance.js';
import { form, isFull } from './support/form.js';
import { tell } from './support/story.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

/** The longest time between two breaks, and that one lasts, in milliseconds. */
const LONGEST = 2_000;

/** Longer than the health check waits for Redis, and than the pause between two tries of a job, in milliseconds. */
const SLUGGISH = 3_000;

describe('Redis', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.cluster();
    await world.installation.makeContacts(form.people);
  });
  afterAll(() => world.remove());

  const again = (name: string, act: (chance: Chance) => Promise<void>) =>
    survive(world, async () => {
      const chance = new Chance(name);
      for (let times = 0; times < form.breaks; times++) {
        await pause(chance.between(0, LONGEST));
        await act(chance);
      }
    });

  const command = async (...words: [string, ...string[]]): Promise<void> => {
    tell(`Redis: ${words.join(' ')}`);
    const redis = new Redis(world.servers.redis.url);
    await redis.call(...words);
    redis.disconnect();
  };

  it('goes away, forgets everything, and comes back', () =>
    again('redis away', async (chance) => {
      tell('Redis is gone');
      await world.servers.redis.stop(chance.of(['SIGTERM', 'SIGKILL'] as const));
      await pause(chance.between(0, LONGEST));
      await world.servers.redis.start();
    }));

  it.runIf(isFull)('is flushed', () => again('redis flushed', () => command('FLUSHALL')));

  it.runIf(isFull)('answers slowly', () =>
    again('redis slow', async (chance) => {
      const delay = chance.between(50, 500);
      tell(`Redis is ${delay} ms away`);
      world.servers.redisGate.slow(delay);
      await pause(chance.between(0, LONGEST));
      await command('CLIENT', 'PAUSE', String(SLUGGISH), 'ALL');
    }),
  );
});
