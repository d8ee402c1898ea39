import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CalloutOutcomes } from './callout-outcomes.js';
import { CallRecaller } from './call-recaller.js';
import { CallReconciler } from './call-reconciler.js';
import { DialClaims } from './dial-claims.js';
import { DialQueue } from './dial-queue.js';
import type { Reservation } from './rate-limiter.js';
import { Queue } from '../jobs/queue.port.js';
import { PollingLoop } from '../jobs/polling-loop.js';

/** How often calls to dial and calls to look up are reserved (ms). */
const POLL_INTERVAL = 250;

/** How often calls are reserved while more calls are due than could be reserved (ms). */
const BUSY_POLL_INTERVAL = 100;

/** How often calls to recall are reserved (ms). A stop is urgent. Without one, a run reads one row of an index. */
const RECALL_POLL_INTERVAL = 100;

/** Calls whose slots begin within this time are passed to the queue in one group (ms). */
const GROUP_INTERVAL = 20;

/** The most calls of one group. */
const MAX_GROUP_SIZE = 20;

/** How often calls of stopped callouts are canceled, outcomes are refreshed and expired claims are found (ms). */
const HOUSEKEEPING_INTERVAL = 1_000;

/** How often lookups are checked for a database clock that has stepped back (ms). */
const CLOCK_CHECK_INTERVAL = 15_000;

/**
 * Reserves the calls that are due, with slots that are evenly spread over the next second, and notifies the queue of
 * each call when its slot begins.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly loops = [
    this.poll(() => this.reserveDials(), POLL_INTERVAL),
    this.poll(async () => this.schedule('fetch', await this.reconciler.reserve()), POLL_INTERVAL),
    this.poll(() => this.reserveRecalls(), RECALL_POLL_INTERVAL),
    this.poll(() => this.housekeeping(), HOUSEKEEPING_INTERVAL),
    this.poll(() => this.refreshOutcomes(), HOUSEKEEPING_INTERVAL),
    this.poll(() => this.repairClockSteps(), CLOCK_CHECK_INTERVAL),
  ];
  private stopped = false;

  constructor(
    private readonly dialQueue: DialQueue,
    private readonly claims: DialClaims,
    private readonly reconciler: CallReconciler,
    private readonly recaller: CallRecaller,
    private readonly outcomes: CalloutOutcomes,
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

  private poll(work: () => Promise<number | void>, interval: number): PollingLoop {
    return new PollingLoop(work, interval, ({ message }) => this.logger.warn(`Could not look for calls: ${message}`));
  }

  private async reserveDials(): Promise<number> {
    const { calls, hasMore } = await this.dialQueue.reserve();
    this.schedule('dial', calls);
    return hasMore ? BUSY_POLL_INTERVAL : POLL_INTERVAL;
  }

  private async reserveRecalls(): Promise<void> {
    this.schedule('recall', await this.recaller.reserve());
  }

  private async housekeeping(): Promise<void> {
    const lost = await this.claims.markExpiredUncertain();
    if (lost > 0) this.logger.warn(`${lost} calls are uncertain: the process that dialed them was lost`);
    while (!this.stopped && (await this.dialQueue.cancelStopped()));
  }

  private async refreshOutcomes(): Promise<void> {
    while (!this.stopped && (await this.outcomes.refreshChunk()));
  }

  private async repairClockSteps(): Promise<void> {
    const moved = await this.reconciler.repairClockSteps();
    if (moved > 0) this.logger.warn(`The database's clock has stepped back: ${moved} lookups are due now`);
  }

  private schedule(task: string, calls: Reservation[]): void {
    for (const group of groupByTime(calls)) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.queue.notify(...group.map(({ id, dueAt }) => ({ task, id, at: dueAt })));
      }, group.at(-1)!.delayMs);
      this.timers.add(timer);
    }
  }
}

/** Groups calls with similar times, in order. A message to the queue for each call would be most of the work. */
function groupByTime(calls: Reservation[]): Reservation[][] {
  const groups: Reservation[][] = [];
  for (const call of calls) {
    const group = groups.at(-1);
    const fits = group && group.length < MAX_GROUP_SIZE && call.delayMs - group[0]!.delayMs < GROUP_INTERVAL;
    if (fits) group.push(call);
    else groups.push([call]);
  }
  return groups;
}
