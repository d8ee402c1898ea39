import { afterAll, beforeAll, expect, it } from 'vitest';
import { replayGuide } from './support/guide.mjs';
import { Installation } from './support/installation.js';

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create();
});
afterAll(() => installation.remove());

it('answers every request of the guide with what the guide shows', async () => {
  const { url } = await installation.start();
  await expect(replayGuide(url)).resolves.toBeUndefined();
});
