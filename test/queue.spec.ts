import Bull from 'bull';
import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { BullQueue } from '../src/queue/bull.queue.js';
import { InProcessQueue } from '../src/queue/in-process.queue.js';
import type { Job } from '../src/queue/queue.port.js';
import { eventually } from './support/eventually.js';
import { type QueueUnderTest, queueContract } from './support/queue.contract.js';

queueContract('in this process', async () => {
  const queue = new InProcessQueue();
  return { queue, process: (handler) => queue.process(handler), close: () => queue.close() };
});

const onRedis = async (url: string): Promise<QueueUnderTest & { bull: Bull.Queue<Job[]> }> => {
  const bull = new Bull<Job[]>(`test-${randomUUID()}`, url, { redis: { maxRetriesPerRequest: null } });
  const queue = new BullQueue({ batch_operation: bull, dial: bull, fetch: bull });
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

queueContract('on Redis', async () => {
  const adapter = await onRedis(process.env.TEST_REDIS_URL!);
  await eventually(() =>
    adapter.queue.ping().then(
      () => true,
      () => false,
    ),
  );
  return adapter;
});

it('neither waits nor fails while Redis is away, and says so when asked', async () => {
  const { queue, bull } = await onRedis('redis://127.0.0.1:1');
  afterAll(() => bull.client.disconnect());
  expect(queue.tell({ task: 'batch_operation', id: 1 })).toBeUndefined();
  await expect(queue.ping()).rejects.toThrow('Redis is not reached');
});
