import Bull from 'bull';
import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { BullQueue } from '../src/jobs/bull/bull.queue.js';
import { InProcessQueue } from '../src/jobs/in-process/in-process.queue.js';
import type { Job } from '../src/jobs/queue.port.js';
import { eventually } from './support/eventually.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { type QueueUnderTest, describeQueueContract } from './support/queue.contract.js';

describeQueueContract('in this process', async () => {
  const queue = new InProcessQueue([{ name: 'batch_operation', concurrency: 4 }]);
  return { queue, process: (handler) => queue.process(handler), close: () => queue.close() };
});

describe('the queue in this process', () => {
  const task = 'dial';

  it('handles a row once, with the latest job, if several jobs were added while it waited', async () => {
    const queue = new InProcessQueue([{ name: task, concurrency: 1 }]);
    const handled: Job[] = [];
    for (const at of [1, 2, 3]) queue.notify({ task, id: 7, at });
    queue.notify({ task, id: 8 });
    queue.process(async (job) => void handled.push(job));
    await eventually(() => handled.some(({ id }) => id === 8));
    expect(handled).toEqual([
      { task, id: 7, at: 3 },
      { task, id: 8 },
    ]);
    await queue.close();
  });

  it('runs as many jobs of a task at once as its concurrency permits, and starts none after close', async () => {
    const queue = new InProcessQueue([{ name: task, concurrency: 2 }]);
    const started: number[] = [];
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    queue.process(({ id }) => {
      started.push(id);
      return released;
    });
    for (const id of [1, 2, 3]) queue.notify({ task, id });
    expect(started).toEqual([1, 2]);
    const closed = queue.close();
    queue.notify({ task, id: 4 });
    release();
    await closed;
    expect(started).toEqual([1, 2]);
  });

  it('refuses a job of a task that no handler has', () => {
    const queue = new InProcessQueue([{ name: task, concurrency: 1 }]);
    expect(() => queue.notify({ task: 'dail', id: 1 })).toThrow('No handler has the task dail');
  });
});

const onRedis = async (url: string): Promise<QueueUnderTest & { bull: Bull.Queue<Job[]> }> => {
  const bull = new Bull<Job[]>(`test-${randomUUID()}`, url, { redis: { maxRetriesPerRequest: null } });
  const queue = new BullQueue(new Map([['batch_operation', bull]]));
  return {
    bull,
    queue,
    process: (handler) =>
      void bull.process(4, async ({ data }) => {
        await Promise.all(data.map(handler));
      }),
    close: () => bull.close(),
  };
};

describeQueueContract('on Redis', async () => {
  const adapter = await onRedis(process.env.TEST_REDIS_URL!);
  await eventually(() =>
    adapter.queue.ping().then(
      () => true,
      () => false,
    ),
  );
  return adapter;
});

it('adds nothing while Redis is unreachable, fails the ping, and continues when Redis is back', async () => {
  const { hostname, port } = new URL(process.env.TEST_REDIS_URL!);
  const gate = await TcpProxy.startFor(Number(port), hostname);
  await gate.close();
  const { queue, bull, process: handle, close } = await onRedis(`redis://127.0.0.1:${gate.port}`);
  const added = vi.spyOn(bull, 'add');
  const handled: number[] = [];
  for (let id = 1; id <= 5_000; id++) queue.notify({ task: 'batch_operation', id });
  await expect(queue.ping()).rejects.toThrow('Redis is not reached');
  // Bull would keep the jobs in memory until Redis is back.
  expect(added).not.toHaveBeenCalled();
  await gate.open();
  handle(async ({ id }) => void handled.push(id));
  await eventually(() =>
    queue
      .ping()
      .then(() => true)
      .catch(() => false),
  );
  queue.notify({ task: 'batch_operation', id: 7 });
  await eventually(() => handled.length > 0);
  expect(handled).toEqual([7]);
  await close();
  await gate.close();
});
