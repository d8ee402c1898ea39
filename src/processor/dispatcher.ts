import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Checks } from '../phone-calls/checks.js';
import { DialClaims } from '../phone-calls/dial-claims.js';
import { DialQueue } from '../phone-calls/dial-queue.js';
import type { HandedOut } from '../pace/paces.js';
import { Queue } from '../jobs/queue.port.js';
import { PollingLoop } from '../jobs/polling-loop.js';

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
  private readonly loops = [
    new PollingLoop(() => this.look(() => this.handOutDials()), EVERY),
    new PollingLoop(() => this.look(async () => this.hand('fetch', await this.checks.handOut())), EVERY),
    new PollingLoop(() => this.look(() => this.keepHouse()), HOUSEKEEPING_EVERY),
    new PollingLoop(() => this.look(() => this.repairClockSteps()), CLOCK_CHECK_EVERY),
  ];
  private stopped = false;

  constructor(
    private readonly dialQueue: DialQueue,
    private readonly claims: DialClaims,
    private readonly checks: Checks,
    private readonly queue: Queue,
  ) {}

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops.map((loop) => loop.stop()));
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
    const moved = await this.checks.repairClockSteps();
    if (moved > 0) this.logger.warn(`The database's clock has stepped back: ${moved} lookups are due now`);
  }

  private hand(task: string, calls: HandedOut[]): void {
    for (const together of inMoments(calls)) {
      const moment = setTimeout(() => {
        this.moments.delete(moment);
        this.queue.notify(...together.map(({ id, at }) => ({ task, id, at })));
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
