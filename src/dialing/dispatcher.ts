import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CallReconciler } from './call-reconciler.js';
import { DialClaims } from './dial-claims.js';
import { DialQueue } from './dial-queue.js';
import type { Reservation } from './rate-limiter.js';
import { Queue } from '../jobs/queue.port.js';
import { PollingLoop } from '../jobs/polling-loop.js';

/** How often it is looked for calls to be dialled or asked after, in milliseconds. */
const POLL_INTERVAL = 250;

/** The same, while there are more calls to be dialled than could be handed out. */
const BUSY_POLL_INTERVAL = 50;

/** Calls whose times lie within so many milliseconds are told of together, up to so many. */
const GROUP_INTERVAL = 20;
const MAX_GROUP_SIZE = 20;

/** How often calls of stopped callouts are canceled and lost dials are found (ms). */
const HOUSEKEEPING_INTERVAL = 1_000;

/** How often it is checked whether the database's clock has stepped back (ms). */
const CLOCK_CHECK_INTERVAL = 15_000;

/**
 * Hands out the calls that are due, evenly spread over the second ahead, by telling the queue of each in its moment.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly loops = [
    new PollingLoop(() => this.logFailure(() => this.reserveDials()), POLL_INTERVAL),
    new PollingLoop(
      () => this.logFailure(async () => this.schedule('fetch', await this.reconciler.reserve())),
      POLL_INTERVAL,
    ),
    new PollingLoop(() => this.logFailure(() => this.housekeeping()), HOUSEKEEPING_INTERVAL),
    new PollingLoop(() => this.logFailure(() => this.repairClockSteps()), CLOCK_CHECK_INTERVAL),
  ];
  private stopped = false;

  constructor(
    private readonly dialQueue: DialQueue,
    private readonly claims: DialClaims,
    private readonly reconciler: CallReconciler,
    private readonly queue: Queue,
  ) {}

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops.map((loop) => loop.stop()));
    for (const timer of this.timers) clearTimeout(timer);
  }

  private async logFailure(work: () => Promise<number | void>): Promise<number | void> {
    try {
      return await work();
    } catch (error) {
      this.logger.warn(`Could not look for calls: ${(error as Error).message}`);
    }
  }

  private async reserveDials(): Promise<number> {
    const { calls, isMore } = await this.dialQueue.reserve();
    this.schedule('dial', calls);
    return isMore ? BUSY_POLL_INTERVAL : POLL_INTERVAL;
  }

  private async housekeeping(): Promise<void> {
    const lost = await this.claims.markExpiredUncertain();
    if (lost > 0) this.logger.warn(`${lost} calls are uncertain: the process that dialed them was lost`);
    while (!this.stopped && (await this.dialQueue.cancelStopped()));
  }

  private async repairClockSteps(): Promise<void> {
    const moved = await this.reconciler.repairClockSteps();
    if (moved > 0) this.logger.warn(`The database's clock has stepped back: ${moved} lookups are due now`);
  }

  private schedule(task: string, calls: Reservation[]): void {
    for (const together of groupByTime(calls)) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.queue.notify(...together.map(({ id, dueAt }) => ({ task, id, at: dueAt })));
      }, together.at(-1)!.delayMs);
      this.timers.add(timer);
    }
  }
}

/**
 * The calls, in their order, with those together whose times are about the same: a word for each would be most of the
 * work.
 */
function groupByTime(calls: Reservation[]): Reservation[][] {
  const moments: Reservation[][] = [];
  for (const call of calls) {
    const moment = moments.at(-1);
    const joins = moment && moment.length < MAX_GROUP_SIZE && call.delayMs - moment[0]!.delayMs < GROUP_INTERVAL;
    if (joins) moment.push(call);
    else moments.push([call]);
  }
  return moments;
}
