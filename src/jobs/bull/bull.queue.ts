import { Logger } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import { type Job, JOB_BACKOFF, JOB_TRIES, MOST_WAITING, Queue, type Task } from '../queue.port.js';

const PING_PATIENCE = 2_000;

/** For so long a job that was told is not told again, in milliseconds, unless it was handled: Redis shall not fill with the same words. */
const ONCE_WITHIN = 5_000;

/** Words that Redis has not taken yet, at the most: more would wait in this process's memory while Redis is slow. */
const MOST_UNANSWERED = 1_000;

/** The Bull queue of each task: the jobs of one cannot hold up those of another. What was told together is one job of Bull's. */
export type Bulls = Readonly<Record<Task, Bull<Job[]>>>;

/** Hands jobs to the workers through Bull on Redis. */
export class BullQueue extends Queue {
  private readonly logger = new Logger('Queue');
  private away = false;
  private unanswered = 0;
  /** Jobs of Bull's that may still be told, of each task, before it is counted again how many wait. */
  private readonly room = new Map<Task, number>();
  private readonly counting = new Set<Task>();

  constructor(private readonly bulls: Bulls) {
    super();
    for (const bull of Object.values(bulls)) {
      bull.on('error', (error) => this.report(error));
      bull.client.on('ready', () => (this.away = false));
    }
  }

  tell(...jobs: Job[]): void {
    const [first] = jobs;
    if (!first) return;
    const bull = this.bulls[first.task];
    // While Redis is away, Bull would keep the job and its promise in memory until it comes back.
    if (bull.client.status !== 'ready' || this.unanswered >= MOST_UNANSWERED || !this.hasRoom(first.task)) return;
    this.unanswered++;
    bull
      .add(jobs, {
        jobId: `${first.id}:${first.at ?? Math.floor(Date.now() / ONCE_WITHIN)}`,
        attempts: JOB_TRIES,
        backoff: { type: 'exponential', delay: JOB_BACKOFF },
        removeOnComplete: true,
        removeOnFail: true,
      })
      .catch((error: Error) => this.report(error))
      .finally(() => this.unanswered--);
  }

  async ping(): Promise<void> {
    const { client } = this.bulls.batch_operation;
    if (client.status !== 'ready') throw new Error(`Redis is not reached (${client.status})`);
    const late = AbortSignal.timeout(PING_PATIENCE);
    await Promise.race([
      client.ping(),
      new Promise((_, reject) => {
        late.addEventListener('abort', () => reject(new Error('Redis does not answer')));
      }),
    ]);
  }

  /** Keeps what waits in Redis below `MOST_WAITING`, without asking it each time. */
  private hasRoom(task: Task): boolean {
    const room = this.roomOf(task);
    if (room < MOST_WAITING / 2) void this.countAgain(task);
    if (room <= 0) return false;
    this.room.set(task, room - 1);
    return true;
  }

  private async countAgain(task: Task): Promise<void> {
    if (this.counting.has(task)) return;
    this.counting.add(task);
    const before = this.roomOf(task);
    const onTheWay = this.unanswered;
    try {
      const waiting = await this.bulls[task].count();
      const toldMeanwhile = before - this.roomOf(task);
      this.room.set(task, MOST_WAITING - waiting - onTheWay - toldMeanwhile);
    } catch (error) {
      this.report(error as Error);
    } finally {
      this.counting.delete(task);
    }
  }

  private roomOf(task: Task): number {
    return this.room.get(task) ?? MOST_WAITING;
  }

  /** Once each time that Redis goes away: its client complains at every attempt to reach it. */
  private report(error: Error): void {
    if (!this.away) this.logger.warn(`Redis is away, jobs wait in the database: ${error.message}`);
    this.away = true;
  }
}
