import { Logger } from '@nestjs/common';
import type { Queue as Bull } from 'bull';
import { type Job, JOB_BACKOFF, JOB_TRIES, Queue } from './queue.port.js';

const PING_PATIENCE = 2_000;

/** Hands jobs to the workers through Bull on Redis. */
export class BullQueue extends Queue {
  private readonly logger = new Logger('Queue');
  private away = false;

  constructor(private readonly bull: Bull<Job>) {
    super();
    bull.on('error', (error) => this.report(error));
    bull.client.on('ready', () => (this.away = false));
  }

  tell(job: Job): void {
    // While Redis is away, Bull would keep the job and its promise in memory until it comes back.
    if (this.bull.client.status !== 'ready') return;
    this.bull
      .add(job, {
        attempts: JOB_TRIES,
        backoff: { type: 'exponential', delay: JOB_BACKOFF },
        removeOnComplete: true,
        removeOnFail: true,
      })
      .catch((error: Error) => this.report(error));
  }

  async ping(): Promise<void> {
    if (this.bull.client.status !== 'ready') throw new Error(`Redis is not reached (${this.bull.client.status})`);
    const late = AbortSignal.timeout(PING_PATIENCE);
    await Promise.race([
      this.bull.client.ping(),
      new Promise((_, reject) => {
        late.addEventListener('abort', () => reject(new Error('Redis does not answer')));
      }),
    ]);
  }

  /** Once each time that Redis goes away: its client complains at every attempt to reach it. */
  private report(error: Error): void {
    if (!this.away) this.logger.warn(`Redis is away, jobs wait in the database: ${error.message}`);
    this.away = true;
  }
}
