import type { Job as BullJob } from 'bull';
import { expect, it, vi } from 'vitest';
import { bullProcessorOf } from '../src/jobs/bull/bull.processor.js';
import type { Job } from '../src/jobs/queue.port.js';

const CONCURRENCY = 10;

it('a stopping processor finishes the running jobs, and starts no other of the same message', async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const jobs = {
    handle: ({ id }: Job): Promise<void> => {
      begun.push(id);
      return new Promise((resolve) => void ends.push(resolve));
    },
  };
  const processor = new (bullProcessorOf({ name: 'fetch', concurrency: CONCURRENCY }))(jobs);
  const group = Array.from({ length: 3 * CONCURRENCY }, (_, index): Job => ({ task: 'fetch', id: index + 1 }));
  const over = vi.fn<() => void>();
  const handled = processor.handle({ data: group } as BullJob<Job[]>).then(over);
  await expect.poll(() => begun.length).toBe(CONCURRENCY);
  processor.beforeApplicationShutdown();
  const [last, ...others] = ends;
  for (const end of others) end();
  await new Promise((resolve) => setImmediate(resolve));
  // One job is still running.
  expect(over).not.toHaveBeenCalled();
  last!();
  await handled;
  expect(begun).toEqual(group.slice(0, CONCURRENCY).map(({ id }) => id));
});
