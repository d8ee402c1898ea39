import { setTimeout as pause } from 'node:timers/promises';
import PQueue from 'p-queue';
import { type Job, JOB_BACKOFF, JOB_ATTEMPTS, MAX_WAITING, Queue, type Task } from '../queue.port.js';

/** The jobs of one task. */
interface TaskQueue {
  queue: PQueue;
  /** The jobs that wait in `queue`, by the ids of their rows. A second job for a row replaces the first. */
  waiting: Map<number, Job>;
}

/** Handles jobs in this process. Waiting jobs are lost when it ends, and the sweeper of the next process finds them. */
export class InProcessQueue extends Queue {
  private handle?: (job: Job) => Promise<void>;
  private closed = false;
  private readonly taskQueues: ReadonlyMap<string, TaskQueue>;

  constructor(tasks: readonly Task[]) {
    super();
    this.taskQueues = new Map(
      tasks.map(({ name, concurrency }) => [
        name,
        { queue: new PQueue({ concurrency, autoStart: false }), waiting: new Map() },
      ]),
    );
  }

  notify(...jobs: Job[]): void {
    for (const job of jobs) {
      const taskQueue = this.taskQueues.get(job.task);
      if (!taskQueue) throw new Error(`No handler has the task ${job.task}`);
      if (!this.closed) this.add(job, taskQueue);
    }
  }

  async ping(): Promise<void> {
    if (this.closed) throw new Error('The queue is closed');
  }

  /** Starts to handle jobs, including those that already wait. */
  process(handle: (job: Job) => Promise<void>): void {
    this.handle = handle;
    for (const { queue } of this.taskQueues.values()) queue.start();
  }

  /** Starts no further job, and waits for the running ones. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(
      Array.from(this.taskQueues.values(), ({ queue, waiting }) => {
        queue.clear();
        waiting.clear();
        return queue.onPendingZero();
      }),
    );
  }

  private add(job: Job, { queue, waiting }: TaskQueue): void {
    const isWaiting = waiting.has(job.id);
    if (!isWaiting && waiting.size >= MAX_WAITING) return;
    waiting.set(job.id, job);
    if (isWaiting) return;
    void queue.add(() => {
      const latest = waiting.get(job.id) ?? job;
      waiting.delete(job.id);
      return this.run(latest);
    });
  }

  private async run(job: Job): Promise<void> {
    for (let attempt = 1; attempt <= JOB_ATTEMPTS && !this.closed; attempt++) {
      try {
        await this.handle?.(job);
        return;
      } catch {
        if (attempt < JOB_ATTEMPTS) await pause(JOB_BACKOFF * 2 ** (attempt - 1));
      }
    }
  }
}
