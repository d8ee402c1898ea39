import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CallReconciler } from './call-reconciler.js';
import { DialClaims } from './dial-claims.js';
import { DialQueue } from './dial-queue.js';
import type { HandedOut } from './rate-limiter.js';
import { Queue, type Task } from '../queue/queue.port.js';
import { Rounds } from '../processor/rounds.js';

/** How often it is looked for calls to be dialled or asked after, in milliseconds. */
const EVERY = 250;

/** The same, while there are more calls to be dialled than could be handed out. */
const SOON = 50;

/** Calls whose times lie within so many milliseconds are told of together, up to so many. */
const MOMENT = 20;
const MOST_TOGETHER = 20;

/** How often calls of stopped callouts are canceled and lost dials are found (ms). */
const HOUSEKEEPING_EVERY = 1_000;

/** How often it is checked whether the database's clock has stepped back (ms). */
const CLOCK_CHECK_EVERY = 15_000;

/** Hands out the calls that are due, evenly spread over the second ahead, by telling the queue of each in its moment. */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly moments = new Set<NodeJS.Timeout>();
  private readonly rounds = [
    new Rounds(() => this.look(() => this.handOutDials()), EVERY),
    new Rounds(() => this.look(async () => this.hand('fetch', await this.reconciler.handOut())), EVERY),
    new Rounds(() => this.look(() => this.keepHouse()), HOUSEKEEPING_EVERY),
    new Rounds(() => this.look(() => this.repairClockSteps()), CLOCK_CHECK_EVERY),
  ];
  private stopped = false;

  constructor(
    private readonly dialQueue: DialQueue,
    private readonly claims: DialClaims,
    private readonly reconciler: CallReconciler,
    private readonly queue: Queue,
  ) {}

  onApplicationBootstrap(): void {
    for (const rounds of this.rounds) rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.rounds.map((rounds) => rounds.stop()));
    for (const moment of this.moments) clearTimeout(moment);
  }

  private async look(work: () => Promise<number | void>): Promise<number | void> {
    try {
      return await work();
    } catch (error) {
      this.logger.warn(`Could not look for calls: ${(error as Error).message}`);
    }
  }

  private async handOutDials(): Promise<number> {
    const { calls, isMore } = await this.dialQueue.reserve();
    this.hand('dial', calls);
    return isMore ? SOON : EVERY;
  }

  private async keepHouse(): Promise<void> {
    const lost = await this.claims.markExpiredUncertain();
    if (lost > 0) this.logger.warn(`${lost} calls are uncertain: the process that dialed them was lost`);
    while (!this.stopped && (await this.dialQueue.cancelStopped()));
  }

  private async repairClockSteps(): Promise<void> {
    const moved = await this.reconciler.repairClockSteps();
    if (moved > 0) this.logger.warn(`The database's clock has stepped back: ${moved} lookups are due now`);
  }

  private hand(task: Task, calls: HandedOut[]): void {
    for (const together of inMoments(calls)) {
      const moment = setTimeout(() => {
        this.moments.delete(moment);
        this.queue.tell(...together.map(({ id, at }) => ({ task, id, at })));
      }, together.at(-1)!.wait);
      this.moments.add(moment);
    }
  }
}

/** The calls, in their order, with those together whose times are about the same: a word for each would be most of the work. */
function inMoments(calls: HandedOut[]): HandedOut[][] {
  const moments: HandedOut[][] = [];
  for (const call of calls) {
    const moment = moments.at(-1);
    const joins = moment && moment.length < MOST_TOGETHER && call.wait - moment[0]!.wait < MOMENT;
    if (joins) moment.push(call);
    else moments.push([call]);
  }
  return moments;
}
