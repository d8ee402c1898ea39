import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import sql, { join } from 'sql-template-tag';
import { Conversations, type ConversingCall, type Staged } from '../call-flows/conversations.js';
import { Config } from '../config.js';
import { checked, given, json, locking, now, nowMilliseconds, secondsFromNow } from '../database/dialect.js';
import { isExpired, isHeld } from '../database/lease.js';
import { Together } from '../database/together.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { SLOT_TOLERANCE } from '../pace/paces.js';
import { RESERVED_FOR, claimSeconds, dialedCalloutStatuses } from './dialing-rules.js';
import { cancelDoNotCall, holdContacts } from './do-not-call.js';
import { lockPhoneCalls } from './locks.js';
import type { PhoneCall } from './phone-call.entity.js';
import { MAX_CALLS_AT_ONCE, ReservationWindow } from './reservation-window.js';

/** A reserved call and its slot, in milliseconds of the database's clock. */
interface Reserved {
  id: number;
  at: number;
}

/** `claimed_at` is milliseconds of the database's clock. */
type ClaimedRow = ConversingCall &
  Pick<PhoneCall, 'lease_token' | 'refusals' | 'callout_id'> & { claimed_at: number; on_trial: boolean | number };

/** A call that is ours to dial, with what its flow is told. */
export type ClaimedCall = ClaimedRow & { staged: Staged };

/**
 * Claims calls for dialing. Only a claimed call is dialed. A claim holds a lease: if its process dies before it records the provider's
 * answer, the call becomes `uncertain` and is never dialed again automatically.
 */
@Injectable()
export class DialClaims {
  private readonly logger = new Logger('DialClaims');
  private readonly batches = new Together((reserved: Reserved[]) => this.claimAll(reserved), MAX_CALLS_AT_ONCE);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly conversations: Conversations,
    private readonly window: ReservationWindow,
    private readonly config: Config,
  ) {}

  /**
   * Claims a call that was reserved for the slot `at`.
   * @returns undefined when the call must not be dialed now: its slot has passed, its callout was paused or stopped, its person opted out
   */
  claim(id: number, at: number): Promise<ClaimedCall | undefined> {
    return this.batches.do({ id, at });
  }

  /** Marks calls whose claims have expired as uncertain: the provider may have taken them. @returns how many there were */
  markExpiredUncertain(): Promise<number> {
    const expired = sql`SELECT id FROM phone_calls
      WHERE leased_until IS NOT NULL AND ${isExpired(sql`leased_until`, claimSeconds(this.config))}
        AND ${checked('status')} = 'queued' AND lease_token IS NOT NULL ${locking('FOR UPDATE SKIP LOCKED')}`;
    return this.unitOfWork.run((transaction) =>
      transaction.execute(sql`UPDATE phone_calls SET status = 'uncertain', check_at = ${now}, checks = 0, updated_at = ${now}
          WHERE id IN (${expired})`),
    );
  }

  /** One transaction, so that whatever fails before the dial gives the claims back. */
  private async claimAll(reserved: Reserved[]): Promise<(ClaimedCall | undefined)[]> {
    let claimedAt = 0;
    const calls = await this.unitOfWork.run(async (transaction) => {
      await lockPhoneCalls(transaction, idsOf(reserved));
      const rows = await this.claimRows(transaction, reserved);
      claimedAt = performance.now();
      await this.releasePassed(transaction, reserved, rows.length);
      await holdContacts(transaction, rows);
      const canceled = await cancelDoNotCall(transaction, idsOf(rows));
      const kept = rows.filter(({ id }) => !canceled.has(id));
      const staged = await this.conversations.stageAll(transaction, kept);
      return kept.map((row, index) => ({ ...row, staged: staged[index]! }));
    });
    const claimed = new Map(calls.map((call) => [call.id, call]));
    // The commit takes time, too. A request that is sent late would be one too many in the provider's second.
    const elapsed = performance.now() - claimedAt;
    const late: ClaimedCall[] = [];
    const results = reserved.map(({ id, at }) => {
      const call = claimed.get(id);
      // A second request for the same call gets nothing.
      claimed.delete(id);
      if (!call || call.claimed_at + elapsed - at <= SLOT_TOLERANCE) return call;
      late.push(call);
    });
    await this.releaseUnsent(late);
    return results;
  }

  private async claimRows(transaction: Transaction, reserved: Reserved[]): Promise<ClaimedRow[]> {
    const rows = await transaction.query<ClaimedRow>(sql`UPDATE phone_calls SET lease_token = ${randomUUID()},
          leased_until = ${secondsFromNow(claimSeconds(this.config))}, dialled_at = ${now}, updated_at = ${now}
        FROM ${given('reserved', { id: 'bigint', at: 'bigint' }, reserved)}
        WHERE phone_calls.id = reserved.id AND ${checked('phone_calls.status')} = 'queued'
          AND phone_calls.lease_token IS NULL AND ${isHeld(sql`phone_calls.leased_until`, RESERVED_FOR)}
          AND ${nowMilliseconds} - reserved.at <= ${SLOT_TOLERANCE}
          AND (SELECT callouts.status FROM callouts WHERE callouts.id = phone_calls.callout_id)
            IN (${join([...dialedCalloutStatuses])})
        RETURNING phone_calls.id, phone_calls.msisdn, phone_calls.metadata, phone_calls.contact_id,
          phone_calls.callout_id, phone_calls.callout_participation_id, phone_calls.call_flow_logic,
          phone_calls.call_flow_state, phone_calls.remote_request_params, phone_calls.lease_token, phone_calls.refusals,
          (SELECT callouts.trial_refusals IS NOT NULL FROM callouts WHERE callouts.id = phone_calls.callout_id) AS on_trial,
          ${nowMilliseconds} AS claimed_at`);
    return rows.map((row) => ({
      ...row,
      metadata: json(row.metadata),
      call_flow_state: json(row.call_flow_state),
      remote_request_params: json(row.remote_request_params),
    }));
  }

  /** A call whose slot passed before it was claimed can be reserved again at once. */
  private async releasePassed(transaction: Transaction, reserved: Reserved[], claimed: number): Promise<void> {
    if (claimed === reserved.length) return;
    const passed =
      await transaction.execute(sql`UPDATE phone_calls SET leased_until = NULL FROM ${given('reserved', { id: 'bigint' }, reserved)}
        WHERE phone_calls.id = reserved.id AND ${checked('phone_calls.status')} = 'queued'
          AND phone_calls.lease_token IS NULL`);
    this.window.notePassed(passed);
  }

  /** Nothing was sent: these calls can be reserved again at once. If that fails, their claims expire as if something had been sent. */
  private async releaseUnsent(calls: ClaimedRow[]): Promise<void> {
    if (calls.length === 0) return;
    const claims = calls.map(({ id, lease_token }) => ({ id, lease_token }));
    try {
      const released = await this.unitOfWork.run(async (transaction) => {
        await lockPhoneCalls(transaction, idsOf(calls));
        return transaction.execute(sql`UPDATE phone_calls SET lease_token = NULL, leased_until = NULL, dialled_at = NULL
            FROM ${given('claims', { id: 'bigint', lease_token: 'text' }, claims)}
            WHERE phone_calls.id = claims.id AND phone_calls.lease_token = claims.lease_token
              AND ${checked('phone_calls.status')} = 'queued'`);
      });
      this.window.notePassed(released);
    } catch (error) {
      this.logger.warn(`${calls.length} claims could not be released: ${(error as Error).message}`);
    }
  }
}

const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id);
