import { describe, expect, it } from 'vitest';
import type { Body } from './support/api.js';
import { createPausedCallout, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { freePort } from './support/free-port.js';
import { Installation, way } from './support/installation.js';
import { dialingEnvironment, providerEnvironment } from './support/provider-environment.js';

const CALLS = 300;
const CALLS_PER_SECOND = 20;
const TIMEOUT = 100_000;

/**
 * Lets a number of workers of one installation call everyone.
 * @returns the statistics of the provider
 */
async function dial(workers: number): Promise<Body> {
  const provider = await Installation.createEmbedded();
  const installation = await Installation.create();
  try {
    const providerApi = (await provider.start({ ...providerEnvironment, SIMULATOR_SPEED: '500' })).api;
    const statistics = async (): Promise<Body> => (await providerApi.get('/simulator/statistics')).body;
    const port = await freePort();
    const environment = {
      ...dialingEnvironment(providerApi.url),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      CALLS_PER_SECOND: String(CALLS_PER_SECOND),
    };
    const starts = Array.from({ length: workers }, (_, index) =>
      installation.start(index === 0 ? { ...environment, PORT: String(port) } : environment),
    );
    const [program] = await Promise.all(starts);
    await installation.insertContacts(CALLS);
    await sendCalloutEvent(program!.api, await createPausedCallout(program!.api), 'resume');
    await eventually(async () => (await statistics()).created >= CALLS, TIMEOUT);
    return await statistics();
  } finally {
    await installation.remove();
    await provider.remove();
  }
}

/** @returns the calls per second, from the first call to the last */
function rateOf({ creations }: Body): number {
  return ((creations.length - 1) * 1_000) / (creations.at(-1) - creations[0]);
}

describe.runIf(way === 'cluster')('the call rate of four workers', () => {
  it('never exceeds the limit in ten seconds, and is close to that of one worker', async () => {
    const [one, four] = await Promise.all([dial(1), dial(4)]);
    for (const seen of [one, four]) {
      expect(seen.created).toBe(CALLS);
      expect(seen.rung_again).toEqual({});
      expect(seen.most_in_ten_seconds).toBeLessThanOrEqual(10 * CALLS_PER_SECOND);
    }
    expect(rateOf(four)).toBeGreaterThan(0.8 * rateOf(one));
  });
});
