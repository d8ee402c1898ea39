import { Logger } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import { type Job, JOB_BACKOFF, JOB_TRIES, MOST_WAITING, Queue } from '../queue.port.js';

/** How long Redis may take to answer a ping (ms). */
const PING_TIMEOUT = 2_000;

/** A job that was added is not added again within this time unless it was handled (ms). It keeps Redis from filling up. */
const ONCE_WITHIN = 5_000;

/** The most requests to Redis without a reply. More of them would fill this process's memory while Redis is slow. */
const MOST_UNANSWERED = 1_000;

/** Passes jobs to the workers through Bull on Redis. Jobs that are added together are one job of Bull's. */
export class BullQueue extends Queue {
  private readonly logger = new Logger('Queue');
  private away = false;
  private unanswered = 0;
  /** How many of Bull's jobs may be added for each task before the waiting jobs are counted again. */
  private readonly room = new Map<string, number>();
  private readonly counting = new Set<string>();

  /** @param bulls the Bull queue of each task */
  constructor(private readonly bulls: ReadonlyMap<string, Bull<Job[]>>) {
    super();
    for (const bull of bulls.values()) {
      bull.on('error', (error) => this.report(error));
      bull.client.on('ready', () => (this.away = false));
    }
  }

  notify(...jobs: Job[]): void {
    const [first] = jobs;
    if (!first) return;
    const bull = this.bullOf(first.task);
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
    // Every Bull queue has a connection of its own to the same Redis.
    const [bull] = this.bulls.values();
    if (!bull) return;
    const { client } = bull;
    if (client.status !== 'ready') throw new Error(`Redis is not reached (${client.status})`);
    const late = AbortSignal.timeout(PING_TIMEOUT);
    await Promise.race([
      client.ping(),
      new Promise((_, reject) => {
        late.addEventListener('abort', () => reject(new Error('Redis does not answer')));
      }),
    ]);
  }

  private bullOf(task: string): Bull<Job[]> {
    const bull = this.bulls.get(task);
    if (!bull) throw new Error(`No handler has the task ${task}`);
    return bull;
  }

  /** Keeps the jobs that wait in Redis below `MOST_WAITING`, without counting them each time. */
  private hasRoom(task: string): boolean {
    const room = this.roomOf(task);
    if (room < MOST_WAITING / 2) void this.countAgain(task);
    if (room <= 0) return false;
    this.room.set(task, room - 1);
    return true;
  }

  private async countAgain(task: string): Promise<void> {
    if (this.counting.has(task)) return;
    this.counting.add(task);
    const before = this.roomOf(task);
    const onTheWay = this.unanswered;
    try {
      const waiting = await this.bullOf(task).count();
      const addedMeanwhile = before - this.roomOf(task);
      this.room.set(task, MOST_WAITING - waiting - onTheWay - addedMeanwhile);
    } catch (error) {
      this.report(error as Error);
    } finally {
      this.counting.delete(task);
    }
  }

  private roomOf(task: string): number {
    return this.room.get(task) ?? MOST_WAITING;
  }

  /** Once each time that Redis goes away: its client complains at every attempt to reach it. */
  private report(error: Error): void {
    if (!this.away) this.logger.warn(`Redis is away, jobs wait in the database: ${error.message}`);
    this.away = true;
  }
}
