import { Injectable } from '@nestjs/common';
import sql, { type Sql, join } from 'sql-template-tag';
import type { Callout } from '../callouts/callout.entity.js';
import { type CalloutPriority, calloutPriorities } from '../callouts/callout-priority.js';
import { Config } from '../config/config.js';
import { inList, lockClause, notIndexed, recordset } from '../database/dialect.js';
import { isHeld } from '../database/lease.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { lockParticipations, refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import { callsInFlight } from './calls-in-flight.js';
import { RESERVATION_SECONDS, reservedUntil, slotOf } from './dial-leases.js';
import { CalloutLimits } from './callout-limits.js';
import { DialGate, type DuePerson, type Wait, dueCallColumns, lockContactsOf } from './dial-gate.js';
import {
  calloutCancellations,
  calloutPermits,
  cancelCalls,
  cancelIneligible,
  goesBeforeAll,
  isDue,
  isIneligible,
} from './eligibility.js';
import { type CalloutWithQueued, findCalloutsWithQueued, lockQueuedCalls } from './queued-calls.js';
import { RateLimiter, type Reservation } from './rate-limiter.js';
import { ReservationWindow } from './reservation-window.js';

/** How many calls of stopped callouts one transaction cancels. */
const CANCEL_BATCH_SIZE = 2_000;

/** How many times one reservation replaces calls that must never be dialed by others. */
const MAX_PASSES = 10;

/** The condition that a call is reserved and not claimed yet. */
const isUnclaimed = sql`${isHeld(sql`leased_until`, RESERVATION_SECONDS)} AND ${notIndexed('status')} = 'queued'
  AND lease_token IS NULL`;

/** Reserves the next queued calls to dial, each for a slot of the rate limit. */
@Injectable()
export class DialQueue {
  /** The callout that came first in the last reservation, for each priority. */
  private readonly lastFirstCallouts = new Map<CalloutPriority, number>();

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly rateLimiter: RateLimiter,
    private readonly window: ReservationWindow,
    private readonly gate: DialGate,
    private readonly calloutLimits: CalloutLimits,
    private readonly config: Config,
  ) {}

  /**
   * Reserves calls of the callouts that may be dialed now, as many as the rate limit has slots for within the next
   * second.
   * @returns the reserved calls, and whether more may be reserved as soon as some of these are claimed
   */
  async reserve(): Promise<{ calls: Reservation[]; hasMore: boolean }> {
    const size = this.window.next();
    return this.unitOfWork.run(async (transaction) => {
      await this.releaseLessUrgent(transaction);
      const free = size - (await this.countUnclaimed(transaction));
      const calls = free > 0 ? await this.reserveUpTo(free, transaction) : [];
      const hasMore = calls.length >= free;
      if (hasMore && calls.length > 0) this.window.grow();
      return { calls, hasMore };
    });
  }

  /**
   * Cancels queued calls of callouts that no longer dial them, up to a batch.
   * @returns whether there may be more
   */
  async cancelStopped(): Promise<boolean> {
    return this.unitOfWork.run(async (transaction) => {
      const unclaimed = sql`phone_calls.lease_token IS NULL`;
      const participations = new Set<number>();
      let hasMore = false;
      for (const { when, message } of calloutCancellations) {
        const callouts = await findCalloutsWithQueued(transaction, unclaimed, when);
        const calls = await lockQueuedCalls(transaction, callouts, unclaimed, CANCEL_BATCH_SIZE);
        await cancelCalls(transaction, idsOf(calls), { message, participations });
        hasMore ||= calls.length === CANCEL_BATCH_SIZE;
      }
      await refreshOutcomes(transaction, participations);
      return hasMore;
    });
  }

  private async reserveUpTo(most: number, transaction: Transaction): Promise<Reservation[]> {
    const limit = { perSecond: this.config.callsPerSecond, most: await this.limitToCallsInFlight(most, transaction) };
    const calls = await this.rateLimiter.reserve(transaction, 'dial', limit, (count) =>
      this.nextCalls(transaction, count),
    );
    if (calls.length === 0) return calls;
    const slots = calls.map(({ id, dueAt }) => ({ id, until: reservedUntil(dueAt) }));
    await movePhoneCalls(transaction, 'reserve', {
      values: { leased_until: sql`reserved.until` },
      from: recordset('reserved', { id: 'bigint', until: 'timestamptz' }, slots),
      where: sql`phone_calls.id = reserved.id`,
    });
    return calls;
  }

  /**
   * Releases the reserved calls that are less urgent than a due one, so that the due one gets their slots. Calls whose
   * slot has begun may be claimed instead.
   */
  private async releaseLessUrgent(transaction: Transaction): Promise<void> {
    // Few callouts have another priority than the normal one, and without them there is nothing to do.
    const others = await transaction.query<Pick<Callout, 'priority'>>(
      sql`SELECT DISTINCT priority FROM callouts WHERE priority <> 'normal' AND ${calloutPermits}`,
    );
    const has = (priority: CalloutPriority) => others.some((other) => other.priority === priority);
    if (has('emergency') && (await this.isDueFor(transaction, goesBeforeAll))) {
      await this.release(transaction, ['normal', 'low']);
    } else if (has('low') && (await this.isDueFor(transaction, sql`callouts.priority = 'normal'`))) {
      await this.release(transaction, ['low']);
    }
  }

  /** @returns whether any of these callouts has a call due */
  private async isDueFor(transaction: Transaction, condition: Sql): Promise<boolean> {
    return (await findCalloutsWithQueued(transaction, isDue, sql`${calloutPermits} AND ${condition}`)).length > 0;
  }

  /**
   * Releases the reserved calls of callouts with these priorities. Urgent calls are reserved first, so the slots after
   * the first released one are free.
   */
  private release(transaction: Transaction, priorities: readonly CalloutPriority[]): Promise<void> {
    return this.rateLimiter.giveBack(transaction, 'dial', async () => {
      const reserved = await transaction.query<{ id: number; leased_until: string | Date }>(
        sql`SELECT id, leased_until FROM phone_calls WHERE ${isUnclaimed}
            AND (SELECT priority FROM callouts WHERE callouts.id = phone_calls.callout_id) IN (${join([...priorities])})
          ${lockClause('FOR UPDATE SKIP LOCKED')}`,
      );
      if (reserved.length === 0) return undefined;
      await movePhoneCalls(transaction, 'release_reservation', {
        values: { leased_until: null },
        where: inList(sql`id`, idsOf(reserved)),
      });
      return Math.min(...reserved.map(({ leased_until }) => slotOf(leased_until)));
    });
  }

  /** Counts reserved calls that are not claimed yet. */
  private async countUnclaimed(transaction: Transaction): Promise<number> {
    const [row] = await transaction.query<{ count: number }>(
      sql`SELECT count(*) AS count FROM phone_calls WHERE ${isUnclaimed}`,
    );
    return row?.count ?? 0;
  }

  /** @returns how many calls may be reserved before outbound calls in flight exceed their limit, up to `most` */
  private async limitToCallsInFlight(most: number, transaction: Transaction): Promise<number> {
    const { maxCallsInFlight } = this.config;
    if (maxCallsInFlight === undefined) return most;
    const [row] = await transaction.query<{ count: number }>(sql`SELECT ${callsInFlight(this.config)} AS count`);
    return Math.max(0, Math.min(most, maxCallsInFlight - row!.count));
  }

  /**
   * Selects the next calls to dial. Cancels calls that must never be dialed, holds back those that must wait, and
   * selects others instead.
   */
  private async nextCalls(transaction: Transaction, count: number): Promise<number[]> {
    const chosen: DueCall[] = [];
    const passedOver: number[] = [];
    const waits: Wait[] = [];
    const participations = new Set<number>();
    const callouts = await this.rotateCallouts(transaction);
    const withPlan = callouts.flat().filter(({ has_plan }) => has_plan);
    const isGated = withPlan.length > 0 || this.config.maxCallsPerNumber.length > 0;
    const limits = await this.calloutLimits.read(
      transaction,
      withPlan.map(({ id }) => id),
    );
    for (let pass = 0; pass < MAX_PASSES && chosen.length < count; pass++) {
      const seen = inList(sql`phone_calls.id`, [...idsOf(chosen), ...passedOver]);
      const due = sql`${isDue} AND NOT ${seen}`;
      const found: FoundCall[] = [];
      for (const ofPriority of callouts) {
        const left = count - chosen.length - found.length;
        const options = { evenly: true, limits, columns: foundColumns };
        found.push(...(await lockQueuedCalls<FoundCall>(transaction, ofPriority, due, left, options)));
      }
      const ineligible = found.filter(({ is_ineligible }) => is_ineligible);
      const calls = found.filter(({ is_ineligible }) => !is_ineligible);
      await cancelIneligible(transaction, idsOf(ineligible), participations);
      const { held, waits: more } = isGated
        ? await this.gate.decide(transaction, calls, chosen)
        : { held: new Set<DueCall>(), waits: [] };
      waits.push(...more);
      passedOver.push(...idsOf([...held]));
      const kept = calls.filter((call) => !held.has(call));
      chosen.push(...kept);
      await limits.use(transaction, idsOf(kept));
      if (kept.length === found.length) break;
    }
    // All at once, in the order of their ids: transactions that lock participations in different orders can deadlock.
    const waiting = waits.map(({ person }) => person);
    await lockContactsOf(transaction, waiting);
    await lockParticipations(transaction, [...participations, ...waiting.map(({ participationId: id }) => id)]);
    await refreshOutcomes(transaction, participations);
    await this.gate.store(transaction, waits);
    return idsOf(chosen);
  }

  /**
   * Finds the callouts that have calls due, for each priority, the most urgent first. Within a priority, a different
   * callout comes first each time, because a slow rate may leave a slot for one callout only.
   */
  private async rotateCallouts(transaction: Transaction): Promise<CalloutWithQueued[][]> {
    const callouts = await findCalloutsWithQueued(transaction, isDue, calloutPermits);
    return calloutPriorities.map((priority) => {
      const last = this.lastFirstCallouts.get(priority) ?? 0;
      const ofPriority = callouts.filter((callout) => callout.priority === priority);
      const rotated = [...ofPriority.filter(({ id }) => id > last), ...ofPriority.filter(({ id }) => id <= last)];
      this.lastFirstCallouts.set(priority, rotated[0]?.id ?? 0);
      return rotated;
    });
  }
}

/** A queued call with the person whom it calls. */
interface DueCall extends DuePerson {
  id: number;
}

/** A call that is due, and whether it must never be dialed. */
type FoundCall = DueCall & { is_ineligible: boolean | number };

const foundColumns = sql`${dueCallColumns}, ${isIneligible} AS is_ineligible`;

const idsOf = (calls: readonly { id: number }[]): number[] => calls.map(({ id }) => id);
