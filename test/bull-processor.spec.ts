import { expect, it, vi } from 'vitest';
import { bullProcessors } from '../src/jobs/bull/bull.processor.js';
import type { Job } from '../src/jobs/queue.port.js';
import { CONCURRENCY, tasks } from '../src/jobs/queue.port.js';

interface BullProcessor {
  handle(job: { data: Job[] }): Promise<void>;
  beforeApplicationShutdown(): void;
}

it('a processor that is to stop ends the jobs that are under way, and begins none of those told with them', async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const jobs = {
    handle: ({ id }: Job): Promise<void> => {
      begun.push(id);
      return new Promise((resolve) => void ends.push(resolve));
    },
  };
  const processor = new bullProcessors[tasks.indexOf('fetch')]!(jobs) as BullProcessor;
  const together = Array.from({ length: 3 * CONCURRENCY.fetch }, (_, index): Job => ({ task: 'fetch', id: index + 1 }));
  const over = vi.fn<() => void>();
  const handled = processor.handle({ data: together }).then(over);
  await expect.poll(() => begun.length).toBe(CONCURRENCY.fetch);
  processor.beforeApplicationShutdown();
  const [last, ...others] = ends;
  for (const end of others) end();
  await new Promise((resolve) => setImmediate(resolve));
  // One is under way still.
  expect(over).not.toHaveBeenCalled();
  last!();
  await handled;
  expect(begun).toEqual(together.slice(0, CONCURRENCY.fetch).map(({ id }) => id));
});
