import { afterEach, describe, expect, it } from 'vitest';
import { Api } from '../support/api.js';
import { type Answers, crowd } from './support/crowd.js';
import { form, isFull } from './support/form.js';
import { patiently } from './support/insist.js';
import { tell } from './support/story.js';
import { World } from './support/world.js';

/** What a process works on at once here; and how many want it to. */
const CAPACITY = 100;
const CROWD = 500;

/** The least share of what is done for as many as there is room for that is still done in a crowd. */
const KEPT = 0.3;

const environment = { MAX_CONCURRENT_REQUESTS: String(CAPACITY) };

const done = ({ statuses }: Answers): number => (statuses.get(200) ?? 0) + (statuses.get(201) ?? 0);

describe('a crowd above capacity', () => {
  let world: World | undefined;

  afterEach(async () => {
    await world?.remove();
    world = undefined;
  });

  it.each([
    ['embedded', () => World.embedded({ environment })],
    ['a cluster', () => World.cluster([['web', environment], ['worker']])],
  ])('is refused quickly, and hinders neither the work that was let in nor the process: %s', async (_, create) => {
    world = await create();
    const place = world.webs[0]!;
    const api = new Api(place.url);
    const before = place.memory();
    const usual = await crowd(place.url, CAPACITY, form.crowded);
    let isOver = false;
    const health = (async (): Promise<number[]> => {
      const statuses: number[] = [];
      await patiently(async () => {
        statuses.push((await api.get('/health/live')).status, (await api.get('/health/ready')).status);
        return isOver;
      });
      return statuses;
    })();
    const answers = await crowd(place.url, CROWD, form.crowded);
    isOver = true;
    const seen = await health;
    tell(
      `${done(usual)} answers for ${CAPACITY}, ${done(answers)} for ${CROWD} and ${answers.statuses.get(503)} refusals`,
    );
    expect([...answers.statuses.keys()].toSorted()).toEqual([200, 201, 503]);
    expect([answers.unhelpful, answers.unanswered]).toEqual([0, []]);
    expect(done(answers)).toBeGreaterThan(KEPT * done(usual));
    expect(new Set(seen)).toEqual(new Set([200]));
    const made = [...usual.made, ...answers.made];
    expect(await world.count(`SELECT count(*) AS count FROM contacts`)).toBe(made.length);
    place.noteCrash();
    expect(place.crashes).toEqual([]);
    if (!isFull) return;
    const most = place.memory();
    await patiently(() => place.memory() <= before);
    tell(`memory: ${before} MiB before, ${most} right after, ${place.memory()} now`);
  });
});
