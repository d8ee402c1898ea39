import { Logger } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import { type Job, JOB_BACKOFF, JOB_ATTEMPTS, MAX_WAITING, Queue } from '../queue.port.js';

/** How long Redis may take to answer a ping (ms). */
const PING_TIMEOUT = 2_000;

/** A job that was added is not added again within this time unless it was handled (ms). It keeps Redis from filling up. */
const DEDUPLICATION_WINDOW = 5_000;

/** The most requests to Redis without a reply. More of them would fill this process's memory while Redis is slow. */
const MAX_PENDING_REQUESTS = 1_000;

/** Passes jobs to the workers through Bull on Redis. Jobs that are added together are one job of Bull's. */
export class BullQueue extends Queue {
  private readonly logger = new Logger('Queue');
  private isUnreachable = false;
  private pendingRequests = 0;
  /** How many of Bull's jobs may be added for each task before the waiting jobs are counted again. */
  private readonly capacities = new Map<string, number>();
  private readonly refreshing = new Set<string>();

  /** @param bulls the Bull queue of each task */
  constructor(private readonly bulls: ReadonlyMap<string, Bull<Job[]>>) {
    super();
    for (const bull of bulls.values()) {
      bull.on('error', (error) => this.logUnreachable(error));
      bull.client.on('ready', () => (this.isUnreachable = false));
    }
  }

  notify(...jobs: Job[]): void {
    const [first] = jobs;
    if (!first) return;
    const bull = this.bullOf(first.task);
    // While Redis is away, Bull would keep the job and its promise in memory until it comes back.
    if (
      bull.client.status !== 'ready' ||
      this.pendingRequests >= MAX_PENDING_REQUESTS ||
      !this.takeCapacity(first.task)
    )
      return;
    this.pendingRequests++;
    bull
      .add(jobs, {
        jobId: `${first.id}:${first.at ?? Math.floor(Date.now() / DEDUPLICATION_WINDOW)}`,
        attempts: JOB_ATTEMPTS,
        backoff: { type: 'exponential', delay: JOB_BACKOFF },
        removeOnComplete: true,
        removeOnFail: true,
      })
      .catch((error: Error) => this.logUnreachable(error))
      .finally(() => this.pendingRequests--);
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
  private takeCapacity(task: string): boolean {
    const room = this.capacityOf(task);
    if (room < MAX_WAITING / 2) void this.refreshCapacity(task);
    if (room <= 0) return false;
    this.capacities.set(task, room - 1);
    return true;
  }

  private async refreshCapacity(task: string): Promise<void> {
    if (this.refreshing.has(task)) return;
    this.refreshing.add(task);
    const before = this.capacityOf(task);
    const onTheWay = this.pendingRequests;
    try {
      const waiting = await this.bullOf(task).count();
      const addedMeanwhile = before - this.capacityOf(task);
      this.capacities.set(task, MAX_WAITING - waiting - onTheWay - addedMeanwhile);
    } catch (error) {
      this.logUnreachable(error as Error);
    } finally {
      this.refreshing.delete(task);
    }
  }

  private capacityOf(task: string): number {
    return this.capacities.get(task) ?? MAX_WAITING;
  }

  /** Once each time that Redis goes away: its client complains at every attempt to reach it. */
  private logUnreachable(error: Error): void {
    if (!this.isUnreachable) this.logger.warn(`Redis is away, jobs wait in the database: ${error.message}`);
    this.isUnreachable = true;
  }
}
