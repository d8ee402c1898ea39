import { setTimeout as pause } from 'node:timers/promises';
import { type Job, type JobHandler, JOB_BACKOFF, JOB_TRIES, Queue } from './queue.port.js';

/** Jobs that are handled at the same time; the rest wait their turn. */
const CONCURRENCY = 4;

/** Handles jobs in this process. What waits is lost with the process; the sweeper of the next one finds it. */
export class InProcessQueue extends Queue {
  private handler?: JobHandler;
  private closed = false;
  private readonly waiting: Job[] = [];
  private readonly running = new Set<Promise<void>>();

  tell(job: Job): void {
    if (this.closed || this.waiting.some((one) => one.batchOperationId === job.batchOperationId)) return;
    this.waiting.push(job);
    this.next();
  }

  async ping(): Promise<void> {
    if (this.closed) throw new Error('The queue is closed');
  }

  /** From now on `handler` does the jobs, also those that wait already. */
  process(handler: JobHandler): void {
    this.handler = handler;
    this.next();
  }

  /** Starts no further job, and waits for those under way. */
  async close(): Promise<void> {
    this.closed = true;
    this.waiting.length = 0;
    await Promise.all(this.running);
  }

  private next(): void {
    const { handler } = this;
    while (handler && this.running.size < CONCURRENCY) {
      const job = this.waiting.shift();
      if (!job) return;
      const run = this.handle(job, handler).finally(() => {
        this.running.delete(run);
        this.next();
      });
      this.running.add(run);
    }
  }

  private async handle(job: Job, handler: JobHandler): Promise<void> {
    for (let attempt = 1; attempt <= JOB_TRIES && !this.closed; attempt++) {
      try {
        await handler(job);
        return;
      } catch {
        if (attempt < JOB_TRIES) await pause(JOB_BACKOFF * 2 ** (attempt - 1));
      }
    }
  }
}
