import { setTimeout as pause } from 'node:timers/promises';
import {
  CONCURRENCY,
  type Job,
  type JobHandler,
  JOB_BACKOFF,
  JOB_TRIES,
  MOST_WAITING,
  Queue,
  type Task,
  tasks,
} from '../queue.port.js';

/** The jobs of one task. */
interface Lane {
  /** By row: a job that waits already need not be told again. */
  waiting: Map<number, Job>;
  running: Set<Promise<void>>;
}

/** Handles jobs in this process. What waits is lost with the process; the sweeper of the next one finds it. */
export class InProcessQueue extends Queue {
  private handler?: JobHandler;
  private closed = false;
  private readonly lanes = new Map<Task, Lane>(tasks.map((task) => [task, { waiting: new Map(), running: new Set() }]));

  tell(...jobs: Job[]): void {
    for (const job of jobs) {
      if (this.closed) return;
      const { waiting } = this.lanes.get(job.task)!;
      if (waiting.size >= MOST_WAITING && !waiting.has(job.id)) continue;
      waiting.set(job.id, job);
      this.next(job.task);
    }
  }

  async ping(): Promise<void> {
    if (this.closed) throw new Error('The queue is closed');
  }

  /** From now on `handler` does the jobs, also those that wait already. */
  process(handler: JobHandler): void {
    this.handler = handler;
    for (const task of tasks) this.next(task);
  }

  /** Starts no further job, and waits for those under way. */
  async close(): Promise<void> {
    this.closed = true;
    for (const { waiting } of this.lanes.values()) waiting.clear();
    await Promise.all([...this.lanes.values()].flatMap(({ running }) => [...running]));
  }

  private next(task: Task): void {
    const { handler } = this;
    const { waiting, running } = this.lanes.get(task)!;
    while (handler && running.size < CONCURRENCY[task]) {
      const [job] = waiting.values();
      if (!job) return;
      waiting.delete(job.id);
      const run = this.handle(job, handler).finally(() => {
        running.delete(run);
        this.next(task);
      });
      running.add(run);
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
