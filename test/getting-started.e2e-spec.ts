import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.js';
import { parseExamples, replay, runSuccessfully } from './support/page-examples.js';
import { Installation } from './support/installation.js';
import type { Program } from './support/program.js';

const project = join(import.meta.dirname, '..');
const guide = readFileSync(join(project, 'docs/getting-started.md'), 'utf8');
const examples = parseExamples(guide);

describe('docs/getting-started.md', () => {
  let installation: Installation;
  let program: Program;

  beforeAll(async () => {
    installation = await Installation.create();
    program = await installation.start();
  });
  afterAll(() => installation.remove());

  it('has an example for each command', () => {
    expect(examples.map(({ command }) => command)).toEqual(guide.match(/^curl .+$/gm));
    expect(examples.length).toBeGreaterThan(40);
  });

  it.each(examples)('shows the answer to $command', async (example) => {
    await replay(example, program.url);
  });
});

describe('README.md', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.remove());

  it('has commands that succeed on an empty database', async () => {
    const commands = readFileSync(join(project, 'README.md'), 'utf8').match(/^curl .+$/gm) ?? [];
    expect(commands).toHaveLength(11);
    const { api, url } = await installation.start();
    for (const command of commands) {
      await runSuccessfully(command, url);
      const [, queued] = /(\/api\/batch_operations\/\d+)\/batch_operation_events/.exec(command) ?? [];
      if (queued) await eventually(async () => (await api.get(queued)).body.status === 'finished');
    }
  });
});
