import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.js';
import { parseExamples, replay, runSuccessfully } from './support/page-examples.js';
import { Installation } from './support/installation.js';
import type { Program } from './support/program.js';

const project = join(import.meta.dirname, '..');
const read = (page: string): string => readFileSync(join(project, page), 'utf8');

// The pages whose examples are run one after the other on one database, which is empty at the beginning.
const pages = ['docs/getting-started.md', 'docs/callouts.md'];

describe('the examples', () => {
  let installation: Installation;
  let program: Program;

  beforeAll(async () => {
    installation = await Installation.create();
    program = await installation.start();
  });
  afterAll(() => installation.remove());

  describe.each(pages)('of %s', (page) => {
    const examples = parseExamples(read(page));

    it('have all commands', () => {
      const commands = examples.map(({ command }) => command.split('\n')[0]);
      expect(commands).toEqual(read(page).match(/^curl .+$/gm));
      expect(commands.length).toBeGreaterThan(15);
    });

    it.each(examples)('show the answer to $command', async (example) => {
      await replay(example, program.url);
    });
  });
});

describe('README.md', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.remove());

  it('has commands that succeed on an empty database', async () => {
    const commands = read('README.md').match(/^curl .+$/gm) ?? [];
    expect(commands).toHaveLength(5);
    const { api, url } = await installation.start();
    for (const command of commands) await runSuccessfully(command, url);
    await eventually(async () => (await api.get('/api/callouts/1/phone_calls')).body[0]?.attempt === 1);
  });
});
