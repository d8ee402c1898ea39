import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Job, JOB_ATTEMPTS, MAX_WAITING, type Queue } from '../../src/jobs/queue.port.js';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from './eventually.js';

export interface QueueUnderTest {
  queue: Queue;
  process(handler: (job: Job) => Promise<void>): void;
  /** Waits for the running jobs. */
  close(): Promise<void>;
}

/** Tests that an adapter keeps the promises of the port. */
export function describeQueueContract(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`the queue ${name}`, () => {
    let adapter: QueueUnderTest;

    beforeEach(async () => {
      adapter = await make();
    });
    afterEach(() => adapter.close());

    it('handles each job, with its data', async () => {
      const handled: Job[] = [];
      adapter.process(async (job) => void handled.push(job));
      for (const id of [1, 2, 3]) adapter.queue.notify({ task: 'batch_operation', id });
      await eventually(() => handled.length >= 3);
      expect(handled.map(({ id }) => id).sort()).toEqual([1, 2, 3]);
    });

    it('handles each of several jobs of one call', async () => {
      const handled = new Set<number>();
      adapter.process(async ({ id }) => void handled.add(id));
      adapter.queue.notify({ task: 'batch_operation', id: 1 }, { task: 'batch_operation', id: 2 });
      await eventually(() => handled.size === 2);
    });

    it('handles jobs that were added before there was a handler', async () => {
      adapter.queue.notify({ task: 'batch_operation', id: 7 });
      const handled: Job[] = [];
      adapter.process(async (job) => void handled.push(job));
      await eventually(() => handled.length === 1);
    });

    it('handles a job again until its handler resolves', async () => {
      let attempts = 0;
      adapter.process(async () => {
        if (++attempts < 3) throw new Error('not yet');
      });
      adapter.queue.notify({ task: 'batch_operation', id: 1 });
      await eventually(() => attempts === 3);
    });

    it('leaves a job that keeps failing to the sweeper, and continues with the others', async () => {
      const attempts = new Map<number, number>();
      adapter.process(async ({ id }) => {
        attempts.set(id, (attempts.get(id) ?? 0) + 1);
        if (id === 1) throw new Error('never');
      });
      adapter.queue.notify({ task: 'batch_operation', id: 1 });
      adapter.queue.notify({ task: 'batch_operation', id: 2 });
      await eventually(() => attempts.get(1) === JOB_ATTEMPTS && attempts.get(2) === 1);
    });

    it('accepts a limited number of waiting jobs, and further ones when those are handled', async () => {
      const handled = new Set<number>();
      for (let id = 1; id <= MAX_WAITING + 500; id++) {
        adapter.queue.notify({ task: 'batch_operation', id });
        if (id % 500 === 0) await pause(20);
      }
      adapter.process(async ({ id }) => void handled.add(id));
      await eventually(() => {
        adapter.queue.notify({ task: 'batch_operation', id: MAX_WAITING * 2 });
        return handled.has(MAX_WAITING * 2);
      });
      // An adapter may reserve room for requests without a response.
      await eventually(() => handled.size > MAX_WAITING - 1_000);
      expect(handled.size).toBeLessThanOrEqual(MAX_WAITING + 1);
      expect([...handled].slice(0, 1_000).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 1_000 }, (_, n) => n + 1),
      );
    });

    it('handles a job that is added again after it was handled', async () => {
      let handled = 0;
      adapter.process(async () => void handled++);
      adapter.queue.notify({ task: 'batch_operation', id: 1 });
      await eventually(() => handled === 1);
      await eventually(() => {
        adapter.queue.notify({ task: 'batch_operation', id: 1 });
        return handled > 1;
      });
    });

    it('handles several jobs concurrently, so that a long one does not block the others', async () => {
      const started = new Set<number>();
      let release = (): void => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      adapter.process(async ({ id }) => {
        started.add(id);
        await released;
      });
      adapter.queue.notify({ task: 'batch_operation', id: 1 });
      adapter.queue.notify({ task: 'batch_operation', id: 2 });
      await eventually(() => started.size === 2);
      release();
    });

    it('waits for the running job when it is closed', async () => {
      let state = 'waiting';
      adapter.process(async () => {
        state = 'running';
        await new Promise((resolve) => setTimeout(resolve, 300));
        state = 'done';
      });
      adapter.queue.notify({ task: 'batch_operation', id: 1 });
      await eventually(() => state === 'running');
      await adapter.close();
      expect(state).toBe('done');
    });

    it('responds to a ping', async () => {
      await expect(adapter.queue.ping()).resolves.toBeUndefined();
    });
  });
}
