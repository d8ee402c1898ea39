import { Injectable } from '@nestjs/common';
import sql, { join } from 'sql-template-tag';
import { Config } from '../config/config.js';
import { notIndexed, secondsFromNow } from '../database/dialect.js';
import { isHeld } from '../database/lease.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { canMove, setClause } from '../phone-calls/phone-call-transitions.js';
import { RESERVATION_SECONDS, claimSeconds } from './dial-leases.js';
import { calloutCancellations, calloutPermits, cancelCalls, cancelIneligible, isDue } from './eligibility.js';
import { findCalloutsWithQueued, lockQueuedCalls } from './queued-calls.js';
import { RateLimiter, type Reservation } from './rate-limiter.js';
import { ReservationWindow } from './reservation-window.js';

/** Calls of stopped callouts that one transaction cancels. */
const CANCEL_BATCH_SIZE = 2_000;

/** How often one round looks for other calls in place of those that must not be placed. */
const MAX_PASSES = 10;

/** Queued calls as a queue: the next calls to be dialed, each reserved for a slot of the rate limit. */
@Injectable()
export class DialQueue {
  /** The callout that came first in the last round. */
  private lastFirstCallout = 0;

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly rateLimiter: RateLimiter,
    private readonly window: ReservationWindow,
    private readonly config: Config,
  ) {}

  /**
   * Reserves calls of the callouts that may be dialed now, as many as the rate limit has slots for within the second
   * ahead.
   * @returns the reserved calls, and whether there may be more as soon as some of these are claimed
   */
  async reserve(): Promise<{ calls: Reservation[]; isMore: boolean }> {
    const size = this.window.next();
    return this.unitOfWork.run(async (transaction) => {
      const free = size - (await this.countUnclaimed(transaction));
      const calls = free > 0 ? await this.reserveUpTo(free, transaction) : [];
      const isMore = calls.length >= free;
      if (isMore && calls.length > 0) this.window.grow();
      return { calls, isMore };
    });
  }

  /** Cancels queued calls of callouts that will not dial them any more. @returns whether there may be more */
  async cancelStopped(): Promise<boolean> {
    return this.unitOfWork.run(async (transaction) => {
      const unclaimed = sql`phone_calls.lease_token IS NULL`;
      let isMore = false;
      for (const { when, message } of calloutCancellations) {
        const callouts = await findCalloutsWithQueued(transaction, unclaimed, when);
        const ids = await lockQueuedCalls(transaction, callouts, unclaimed, CANCEL_BATCH_SIZE);
        await cancelCalls(transaction, ids, message);
        isMore ||= ids.length === CANCEL_BATCH_SIZE;
      }
      return isMore;
    });
  }

  private async reserveUpTo(most: number, transaction: Transaction): Promise<Reservation[]> {
    const limit = { perSecond: this.config.callsPerSecond, most: await this.limitToCallsInFlight(most, transaction) };
    return this.rateLimiter.reserve(transaction, 'dial', limit, async (count) => {
      const ids = await this.nextCalls(transaction, count);
      if (ids.length > 0) {
        await transaction.query(sql`UPDATE phone_calls SET ${setClause('reserve', { leased_until: secondsFromNow(RESERVATION_SECONDS) })}
            WHERE id IN (${join(ids)}) AND ${canMove('reserve')}`);
      }
      return ids;
    });
  }

  /** Reserved calls that nobody has claimed yet, without those that wait because they were refused. */
  private async countUnclaimed(transaction: Transaction): Promise<number> {
    const [row] = await transaction.query<{ count: number }>(sql`SELECT count(*) AS count FROM phone_calls
        WHERE ${isHeld(sql`leased_until`, RESERVATION_SECONDS)} AND ${notIndexed('status')} = 'queued'
          AND lease_token IS NULL AND refusals = 0`);
    return row?.count ?? 0;
  }

  /** How many more outbound calls may be at the provider or on their way to it. */
  private async limitToCallsInFlight(most: number, transaction: Transaction): Promise<number> {
    const { maxCallsInFlight } = this.config;
    if (maxCallsInFlight === undefined) return most;
    const claimed = sql`lease_token IS NOT NULL AND ${isHeld(sql`leased_until`, claimSeconds(this.config))}`;
    const reserved = sql`lease_token IS NULL AND refusals = 0 AND ${isHeld(sql`leased_until`, RESERVATION_SECONDS)}`;
    const [row] = await transaction.query<{ count: number }>(sql`SELECT count(*) AS count FROM phone_calls
        WHERE check_at IS NOT NULL AND callout_participation_id IS NOT NULL
            AND ${notIndexed('status')} IN ('remotely_queued', 'remote_fetch_queued', 'in_progress')
          OR leased_until IS NOT NULL AND ${notIndexed('status')} = 'queued' AND (${claimed} OR ${reserved})`);
    return Math.max(0, Math.min(most, maxCallsInFlight - (row?.count ?? 0)));
  }

  /** The next calls that may be placed. Calls that must never be dialed are canceled, and others take their place. */
  private async nextCalls(transaction: Transaction, count: number): Promise<number[]> {
    const ids: number[] = [];
    const turns = await this.rotateCallouts(transaction);
    for (let look = 0; look < MAX_PASSES && ids.length < count; look++) {
      const due = sql`${isDue} AND phone_calls.id NOT IN (${join(ids.length > 0 ? ids : [0])})`;
      const found = await lockQueuedCalls(transaction, turns, due, count - ids.length, { evenly: true });
      const canceled = await cancelIneligible(transaction, found);
      ids.push(...found.filter((id) => !canceled.has(id)));
      if (canceled.size === 0) break;
    }
    return ids;
  }

  /**
   * The callouts that have calls due. Another one comes first each time: at a slow rate there may be a slot for one
   * callout only.
   */
  private async rotateCallouts(transaction: Transaction): Promise<number[]> {
    const callouts = await findCalloutsWithQueued(transaction, isDue, calloutPermits);
    const turns = [
      ...callouts.filter((id) => id > this.lastFirstCallout),
      ...callouts.filter((id) => id <= this.lastFirstCallout),
    ];
    this.lastFirstCallout = turns[0] ?? 0;
    return turns;
  }
}
