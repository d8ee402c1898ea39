import { afterEach, describe, expect, it } from 'vitest';
import { Api } from '../support/api.js';
import { type LoadResult, runClients } from './support/clients.js';
import { profile, isFullProfile } from './support/profile.js';
import { waitUntil } from './support/retry.js';
import { logStep } from './support/log-step.js';
import { Testbed } from './support/testbed.js';

/** The concurrent requests that an instance accepts. */
const CAPACITY = 100;

/** The clients that overload it. */
const OVERLOAD = 500;

/** The least share of the usual throughput that must remain during overload. */
const LEAST_THROUGHPUT = 0.3;

const environment = { MAX_CONCURRENT_REQUESTS: String(CAPACITY) };

const countSuccesses = ({ statuses }: LoadResult): number => (statuses.get(200) ?? 0) + (statuses.get(201) ?? 0);

describe('an overload', () => {
  let testbed: Testbed | undefined;

  afterEach(async () => {
    await testbed?.remove();
    testbed = undefined;
  });

  it.each([
    ['embedded', () => Testbed.embedded({ environment })],
    ['a cluster', () => Testbed.cluster([['web', environment], ['worker']])],
  ])('is refused without harm to the accepted requests and to the process: %s', async (_, create) => {
    testbed = await create();
    const instance = testbed.webs[0]!;
    const api = new Api(instance.url);
    const memoryBefore = instance.memoryMiB();
    const usual = await runClients(instance.url, CAPACITY, profile.overload);
    let isOver = false;
    const health = (async (): Promise<number[]> => {
      const statuses: number[] = [];
      await waitUntil(async () => {
        statuses.push((await api.get('/health/live')).status, (await api.get('/health/ready')).status);
        return isOver;
      });
      return statuses;
    })();
    const overloaded = await runClients(instance.url, OVERLOAD, profile.overload);
    isOver = true;
    const seen = await health;
    const [usualCount, overloadedCount] = [countSuccesses(usual), countSuccesses(overloaded)];
    logStep(`${usualCount} successes for ${CAPACITY} clients`);
    logStep(`${overloadedCount} successes and ${overloaded.statuses.get(503)} refusals for ${OVERLOAD} clients`);
    expect([...overloaded.statuses.keys()].toSorted()).toEqual([200, 201, 503]);
    expect([overloaded.withoutRetryAfter, overloaded.failures]).toEqual([0, []]);
    expect(overloadedCount).toBeGreaterThan(LEAST_THROUGHPUT * usualCount);
    expect(new Set(seen)).toEqual(new Set([200]));
    const created = [...usual.created, ...overloaded.created];
    expect(await testbed.count(`SELECT count(*) AS count FROM contacts`)).toBe(created.length);
    instance.recordCrash();
    expect(instance.crashes).toEqual([]);
    if (!isFullProfile) return;
    const memoryAfter = instance.memoryMiB();
    await waitUntil(() => instance.memoryMiB() <= memoryBefore);
    logStep(`memory: ${memoryBefore} MiB before, ${memoryAfter} MiB right after, ${instance.memoryMiB()} MiB now`);
  });
});
