import type { Job as BullJob } from 'bull';
import { expect, it, vi } from 'vitest';
import { bullProcessorOf } from '../src/jobs/bull/bull.processor.js';
import type { Job } from '../src/jobs/queue.port.js';

const CONCURRENCY = 10;

it('a processor that is to stop ends the jobs that are under way, and begins none of those told with them', async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const jobs = {
    handle: ({ id }: Job): Promise<void> => {
      begun.push(id);
      return new Promise((resolve) => void ends.push(resolve));
    },
  };
  const processor = new (bullProcessorOf({ name: 'fetch', concurrency: CONCURRENCY }))(jobs);
  const together = Array.from({ length: 3 * CONCURRENCY }, (_, index): Job => ({ task: 'fetch', id: index + 1 }));
  const over = vi.fn<() => void>();
  const handled = processor.handle({ data: together } as BullJob<Job[]>).then(over);
  await expect.poll(() => begun.length).toBe(CONCURRENCY);
  processor.beforeApplicationShutdown();
  const [last, ...others] = ends;
  for (const end of others) end();
  await new Promise((resolve) => setImmediate(resolve));
  // One is under way still.
  expect(over).not.toHaveBeenCalled();
  last!();
  await handled;
  expect(begun).toEqual(together.slice(0, CONCURRENCY).map(({ id }) => id));
});
