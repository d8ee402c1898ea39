import { Logger } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import { type Job, JOB_BACKOFF, JOB_ATTEMPTS, MAX_WAITING, Queue } from '../queue.port.js';

/** How long Redis may take to answer a ping (ms). */
const PING_TIMEOUT = 2_000;

/** How long Bull ignores a repeated job while the first one is not handled (ms). It keeps Redis from filling up. */
const DEDUPLICATION_WINDOW = 5_000;

/** The most requests to Redis without a reply. It bounds the memory of this process while Redis is slow. */
const MAX_PENDING_REQUESTS = 1_000;

/** Passes jobs to the workers through Bull on Redis. The jobs of one `notify` are one Bull job. */
export class BullQueue extends Queue {
  private readonly logger = new Logger('Queue');
  private isUnreachable = false;
  private pendingRequests = 0;
  /** How many Bull jobs may still be added, by task. It is an estimate until the waiting jobs are counted again. */
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
    // While Redis is unreachable, Bull would keep each job and its promise in memory.
    const isReady = bull.client.status === 'ready' && this.pendingRequests < MAX_PENDING_REQUESTS;
    if (!isReady || !this.takeCapacity(first.task)) return;
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
    // Each Bull queue has its own connection to the same Redis.
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

  /**
   * Takes capacity for one Bull job, so that no more than {@link MAX_WAITING} wait in Redis. The waiting jobs are
   * counted only when half of the capacity is used.
   * @returns false when no capacity is left
   */
  private takeCapacity(task: string): boolean {
    const capacity = this.capacityOf(task);
    if (capacity < MAX_WAITING / 2) void this.refreshCapacity(task);
    if (capacity <= 0) return false;
    this.capacities.set(task, capacity - 1);
    return true;
  }

  private async refreshCapacity(task: string): Promise<void> {
    if (this.refreshing.has(task)) return;
    this.refreshing.add(task);
    const before = this.capacityOf(task);
    const pendingBefore = this.pendingRequests;
    try {
      const waiting = await this.bullOf(task).count();
      const addedMeanwhile = before - this.capacityOf(task);
      this.capacities.set(task, MAX_WAITING - waiting - pendingBefore - addedMeanwhile);
    } catch (error) {
      this.logUnreachable(error as Error);
    } finally {
      this.refreshing.delete(task);
    }
  }

  private capacityOf(task: string): number {
    return this.capacities.get(task) ?? MAX_WAITING;
  }

  /** Logs once each time that Redis becomes unreachable. Its client reports an error for every attempt to connect. */
  private logUnreachable(error: Error): void {
    if (!this.isUnreachable) this.logger.warn(`Redis is away, jobs wait in the database: ${error.message}`);
    this.isUnreachable = true;
  }
}
