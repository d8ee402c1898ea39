import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import sql from 'sql-template-tag';
import type { FlowPhoneCall } from '../call-flows/call-context-rows.js';
import { CallFlowRunner, type LoadedCall } from '../call-flows/call-flow-runner.js';
import { Config } from '../config/config.js';
import {
  inList,
  isPostgres,
  recordset,
  parseJson,
  lockClause,
  notIndexedTime,
  now,
  nowMilliseconds,
  secondsFromNow,
} from '../database/dialect.js';
import { isExpired, isHeld } from '../database/lease.js';
import { Batcher } from '../database/batcher.js';
import type { Take } from '../database/take-once.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { sharesCalloutStatus } from '../outcomes/lock-callout-status.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { canMove, movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import { isOnTrial } from './callout-trials.js';
import { DialGate, type DuePerson, dueCallColumns } from './dial-gate.js';
import { RESERVATION_SECONDS, claimSeconds, reservedUntil } from './dial-leases.js';
import { cancelIneligible, mayBeDialed, lockContacts } from './eligibility.js';
import { SLOT_TOLERANCE } from './rate-limiter.js';
import { type LockedCall, lockPhoneCalls } from '../phone-calls/lock-phone-calls.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { MAX_BATCH_SIZE, ReservationWindow } from './reservation-window.js';

/** A reserved call and its slot. */
interface Reserved {
  id: number;
  /** When the slot begins (ms of the database clock). */
  at: number;
}

/** A slot with the end of its reservation. */
interface Slot extends Reserved {
  until: string;
}

const slotColumns = { id: 'bigint', at: 'bigint', until: 'timestamptz' } as const;

/** The lease of a call that is found by its id, and not by the index of leases, which has all reserved calls. */
const leasedUntil = notIndexedTime('phone_calls.leased_until');

/** The condition that a call is still reserved for its slot, and not claimed. */
const isReserved = sql`phone_calls.lease_token IS NULL AND ${leasedUntil} = reserved.until`;

/** `claimed_at` is in ms of the database clock. */
type ClaimedRow = FlowPhoneCall &
  Pick<PhoneCall, 'lease_token' | 'refusals' | 'callout_id'> & { claimed_at: number; on_trial: boolean | number };

/** A call that this process has claimed, with the context of its call flow. */
export type ClaimedCall = ClaimedRow & { loaded: LoadedCall };

/**
 * Claims calls for dialing. Only a claimed call is dialed. A claim holds a lease: if its process dies before it records
 * the provider's response, the call becomes `uncertain` and is never dialed again automatically.
 */
@Injectable()
export class DialClaims {
  private readonly logger = new Logger('DialClaims');
  private readonly batches = new Batcher((take: Take<Reserved>) => this.claimAll(take), MAX_BATCH_SIZE);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly callFlowRunner: CallFlowRunner,
    private readonly window: ReservationWindow,
    private readonly gate: DialGate,
    private readonly config: Config,
  ) {}

  /**
   * Claims a call that was reserved for a slot.
   * @param at when the slot begins (ms of the database clock)
   * @returns undefined when the call must not be dialed now: its slot has passed or was given to another call, its
   *   callout was paused or stopped, its person opted out, its call window closed, or an emergency call goes first
   */
  claim(id: number, at: number): Promise<ClaimedCall | undefined> {
    return this.batches.add({ id, at });
  }

  /**
   * Marks calls whose claims have expired as uncertain, because the provider may have accepted them.
   * @returns the number of calls
   */
  markExpiredUncertain(): Promise<number> {
    const expired = sql`SELECT id FROM phone_calls
      WHERE leased_until IS NOT NULL AND ${isExpired(sql`leased_until`, claimSeconds(this.config))}
        AND ${canMove('expire_claim')} ${lockClause('FOR UPDATE SKIP LOCKED')}`;
    return this.unitOfWork.run(async (transaction) => {
      const values = { check_at: now, checks: 0 };
      return (await movePhoneCalls(transaction, 'expire_claim', { values, where: sql`id IN (${expired})` })).length;
    });
  }

  /** Claims calls in one transaction, so that an error before the dial undoes the claims. */
  private async claimAll(take: Take<Reserved>): Promise<(ClaimedCall | undefined)[]> {
    let claimedAt = 0;
    const calls = await this.unitOfWork.runShared(async (transaction) => {
      const reserved = take();
      const slots = reserved.map(({ id, at }) => ({ id, at, until: reservedUntil(at) }));
      const locked = await lockForClaims(transaction, slots);
      await lockContacts(transaction, locked);
      const closed = await this.findClosed(transaction, idsOf(locked.filter(({ has_windows }) => has_windows)));
      const claimable = new Set(idsOf(locked.filter(({ id, is_stable }) => is_stable && !closed.has(id))));
      const rows = await this.claimRows(
        transaction,
        slots.filter(({ id }) => claimable.has(id)),
      );
      claimedAt = performance.now();
      if (rows.length < reserved.length) await this.releaseUnclaimed(transaction, slots);
      if (rows.length === 0) return [];
      const loaded = await this.callFlowRunner.loadContexts(transaction, rows);
      return rows.map((row, index) => ({ ...row, loaded: loaded[index]! }));
    });
    const claimed = new Map(calls.map((call) => [call.id, call]));
    // The commit takes time, too. A request that is sent late could exceed the rate limit of its second.
    const elapsed = performance.now() - claimedAt;
    const late: ClaimedCall[] = [];
    const results = take().map(({ id, at }) => {
      const call = claimed.get(id);
      // A second request for the same call gets undefined.
      claimed.delete(id);
      if (!call || call.claimed_at + elapsed - at <= SLOT_TOLERANCE) return call;
      late.push(call);
    });
    await this.releaseUnsent(late);
    return results;
  }

  /**
   * Finds the calls, among those whose plan has call windows, whose windows are closed, though they were open when the
   * calls were reserved: the plan or the time zone of the person has changed since.
   */
  private async findClosed(transaction: Transaction, ids: readonly number[]): Promise<Set<number>> {
    if (ids.length === 0) return new Set();
    const calls = await transaction.query<DuePerson & { id: number }>(
      sql`SELECT ${dueCallColumns} FROM phone_calls WHERE ${inList(sql`phone_calls.id`, ids)}`,
    );
    const closed = await this.gate.findClosed(transaction, calls, 0);
    return new Set(idsOf(calls.filter(({ participationId }) => closed.has(participationId))));
  }

  private async claimRows(transaction: Transaction, slots: Slot[]): Promise<ClaimedRow[]> {
    const rows = await movePhoneCalls<'claim', ClaimedRow>(transaction, 'claim', {
      values: {
        lease_token: randomUUID(),
        leased_until: secondsFromNow(claimSeconds(this.config)),
        dialled_at: now,
      },
      set: sql`updated_at = ${now}`,
      from: recordset('reserved', slotColumns, slots),
      where: sql`phone_calls.id = reserved.id
        AND ${isReserved} AND ${isHeld(leasedUntil, RESERVATION_SECONDS)}
        AND ${nowMilliseconds} - reserved.at <= ${SLOT_TOLERANCE}
        AND ${mayBeDialed}`,
      returning: sql`phone_calls.id, phone_calls.msisdn, phone_calls.metadata, phone_calls.contact_id,
        phone_calls.callout_id, phone_calls.callout_participation_id, phone_calls.call_flow_logic,
        phone_calls.call_flow_state, phone_calls.remote_request_params, phone_calls.lease_token, phone_calls.refusals,
        (SELECT ${isOnTrial} FROM callouts WHERE callouts.id = phone_calls.callout_id) AS on_trial,
        ${nowMilliseconds} AS claimed_at`,
    });
    return rows.map((row) => ({
      ...row,
      metadata: parseJson(row.metadata),
      call_flow_state: parseJson(row.call_flow_state),
      remote_request_params: parseJson(row.remote_request_params),
    }));
  }

  /**
   * Releases calls that were not claimed in their slots, so that they can be reserved again at once: the slot passed,
   * the callout was paused or stopped, its call window closed, or an emergency call goes first. Cancels those that must
   * never be dialed.
   */
  private async releaseUnclaimed(transaction: Transaction, slots: Slot[]): Promise<void> {
    const released = await movePhoneCalls<'release_reservation', { id: number; now: number }>(
      transaction,
      'release_reservation',
      {
        values: { leased_until: null },
        from: recordset('reserved', slotColumns, slots),
        where: sql`phone_calls.id = reserved.id AND ${isReserved}`,
        returning: sql`phone_calls.id, ${nowMilliseconds} AS now`,
      },
    );
    const slotOf = new Map(slots.map(({ id, at }) => [id, at]));
    this.window.notePassed(released.filter(({ id, now: time }) => time - slotOf.get(id)! > SLOT_TOLERANCE).length);
    const participations = new Set<number>();
    await cancelIneligible(transaction, idsOf(released), participations);
    await refreshOutcomes(transaction, participations);
  }

  /**
   * Releases claims without a request to the provider, so that the calls can be reserved again at once. If that fails,
   * the claims expire and the calls become uncertain.
   */
  private async releaseUnsent(calls: ClaimedRow[]): Promise<void> {
    if (calls.length === 0) return;
    const claims = calls.map(({ id, lease_token }) => ({ id, lease_token }));
    try {
      const released = await this.unitOfWork.run(async (transaction) => {
        await lockPhoneCalls(transaction, idsOf(calls));
        return movePhoneCalls(transaction, 'release_claim', {
          values: { lease_token: null, leased_until: null, dialled_at: null },
          from: recordset('claims', { id: 'bigint', lease_token: 'text' }, claims),
          where: sql`phone_calls.id = claims.id AND phone_calls.lease_token = claims.lease_token`,
        });
      });
      this.window.notePassed(released.length);
    } catch (error) {
      this.logger.warn(`${calls.length} claims could not be released: ${(error as Error).message}`);
    }
  }
}

/** A locked call: whether nobody is changing its callout, and whether its plan has call windows. */
type LockedForClaim = LockedCall & { id: number; is_stable: boolean | number; has_windows: boolean | number };

/**
 * Locks calls, and shares the statuses of their callouts: a stop waits until the calls are claimed, so that it recalls
 * them, too. On SQLite, where the transaction is the only writer, it only reads them.
 */
function lockForClaims(transaction: Transaction, slots: Slot[]): Promise<LockedForClaim[]> {
  const hasWindows = sql`(SELECT callouts.dial_plan ->> 'call_windows' IS NOT NULL FROM callouts
    WHERE callouts.id = phone_calls.callout_id)`;
  return transaction.query<LockedForClaim>(sql`SELECT id, contact_id, msisdn,
        ${isPostgres ? sharesCalloutStatus(sql`callout_id`) : sql`TRUE`} AS is_stable,
        coalesce(${hasWindows}, FALSE) AS has_windows
      FROM phone_calls WHERE ${inList(sql`id`, idsOf(slots))} ORDER BY id ${lockClause('FOR UPDATE')}`);
}

const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id);
