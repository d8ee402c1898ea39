import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Checks } from '../phone-calls/checks.js';
import { Dials } from '../phone-calls/dials.js';
import type { HandedOut } from '../pace/paces.js';
import { Queue, type Task } from '../queue/queue.port.js';
import { Rounds } from './rounds.js';

/** How often it is looked for calls to be dialled or asked after, in milliseconds. */
const EVERY = 250;

/** Looks between two for calls of stopped callouts, and for dials that were lost. */
const HOUSEKEEPING_EVERY = 4;

/** Hands out the calls that are due, evenly spread over the second ahead, by telling the queue of each in its moment. */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly moments = new Set<NodeJS.Timeout>();
  private readonly rounds = new Rounds(() => this.look(), EVERY);
  private looks = 0;
  private stopped = false;

  constructor(
    private readonly dials: Dials,
    private readonly checks: Checks,
    private readonly queue: Queue,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.rounds.stop();
    for (const moment of this.moments) clearTimeout(moment);
  }

  private async look(): Promise<void> {
    try {
      this.hand('dial', await this.dials.handOut());
      this.hand('fetch', await this.checks.handOut());
      if (this.looks++ % HOUSEKEEPING_EVERY === 0) await this.keepHouse();
    } catch (error) {
      this.logger.warn(`Could not look for calls: ${(error as Error).message}`);
    }
  }

  private async keepHouse(): Promise<void> {
    const lost = await this.dials.loseExpired();
    if (lost > 0) this.logger.warn(`${lost} calls are uncertain: the process that dialled them was lost`);
    while (!this.stopped && (await this.dials.cancelStopped()));
  }

  private hand(task: Task, calls: HandedOut[]): void {
    for (const { id, at, wait } of calls) {
      const moment = setTimeout(() => {
        this.moments.delete(moment);
        this.queue.tell({ task, id, at });
      }, wait);
      this.moments.add(moment);
    }
  }
}
