import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examplesOf, replay } from './support/guide.js';
import { Installation } from './support/installation.js';
import type { Program } from './support/program.js';

const page = readFileSync(join(import.meta.dirname, '../docs/getting-started.md'), 'utf8');
const examples = examplesOf(page);

describe('docs/getting-started.md', () => {
  let installation: Installation;
  let program: Program;

  beforeAll(async () => {
    installation = await Installation.create();
    program = await installation.start();
  });
  afterAll(() => installation.remove());

  it('has an example for each command', () => {
    expect(examples.map(({ command }) => command)).toEqual(page.match(/^curl .+$/gm));
    expect(examples.length).toBeGreaterThan(40);
  });

  it.each(examples)('shows the answer to $command', async (example) => {
    await replay(example, program.url);
  });
});
