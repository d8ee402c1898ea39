import { afterEach, describe, expect, it } from 'vitest';
import { Api } from '../support/api.js';
import { type LoadResult, runClients } from './support/clients.js';
import { profile, isFullProfile } from './support/profile.js';
import { waitUntil } from './support/retry.js';
import { logStep } from './support/log-step.js';
import { Testbed } from './support/testbed.js';

/** What a process works on at once here; and how many want it to. */
const CAPACITY = 100;
const CROWD = 500;

/** The least share of what is done for as many as there is room for that is still done in a crowd. */
const KEPT = 0.3;

const environment = { MAX_CONCURRENT_REQUESTS: String(CAPACITY) };

const done = ({ statuses }: LoadResult): number => (statuses.get(200) ?? 0) + (statuses.get(201) ?? 0);

describe('a crowd above capacity', () => {
  let testbed: Testbed | undefined;

  afterEach(async () => {
    await testbed?.remove();
    testbed = undefined;
  });

  it.each([
    ['embedded', () => Testbed.embedded({ environment })],
    ['a cluster', () => Testbed.cluster([['web', environment], ['worker']])],
  ])('is refused quickly, and hinders neither the work that was let in nor the process: %s', async (_, create) => {
    testbed = await create();
    const place = testbed.webs[0]!;
    const api = new Api(place.url);
    const before = place.memoryMiB();
    const usual = await runClients(place.url, CAPACITY, profile.crowded);
    let isOver = false;
    const health = (async (): Promise<number[]> => {
      const statuses: number[] = [];
      await waitUntil(async () => {
        statuses.push((await api.get('/health/live')).status, (await api.get('/health/ready')).status);
        return isOver;
      });
      return statuses;
    })();
    const answers = await runClients(place.url, CROWD, profile.crowded);
    isOver = true;
    const seen = await health;
    logStep(
      `${done(usual)} answers for ${CAPACITY}, ${done(answers)} for ${CROWD} and ${answers.statuses.get(503)} refusals`,
    );
    expect([...answers.statuses.keys()].toSorted()).toEqual([200, 201, 503]);
    expect([answers.withoutRetryAfter, answers.failures]).toEqual([0, []]);
    expect(done(answers)).toBeGreaterThan(KEPT * done(usual));
    expect(new Set(seen)).toEqual(new Set([200]));
    const made = [...usual.created, ...answers.created];
    expect(await testbed.count(`SELECT count(*) AS count FROM contacts`)).toBe(made.length);
    place.recordCrash();
    expect(place.crashes).toEqual([]);
    if (!isFullProfile) return;
    const most = place.memoryMiB();
    await waitUntil(() => place.memoryMiB() <= before);
    logStep(`memory: ${before} MiB before, ${most} right after, ${place.memoryMiB()} now`);
  });
});
