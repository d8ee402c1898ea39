import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { lockClause, nowMilliseconds } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { Config } from '../config/config.js';
import type { RateLimitRow } from './rate-limit.entity.js';

/** The requests that share a rate limit: those that place calls, look them up, or end them. */
export type RateLimitBucket = 'dial' | 'fetch' | 'recall';

/**
 * The share of the permitted rate that is used. A slot may be used up to {@link SLOT_TOLERANCE} late, so ten seconds
 * may contain the slots of a longer time. The unused share keeps them below the limit.
 */
export const USED_RATIO = 0.95;

/** How long after its beginning a slot may still be used (ms). */
export const SLOT_TOLERANCE = 250;

/** The shortest pause of a bucket (ms). It doubles with each pause in a row. */
const MIN_PAUSE = 1_000;

/** The longest pause of a bucket (ms). */
const MAX_PAUSE = 60_000;

/** How long after the provider's timeout the first try after a pause may be recorded (ms). */
const TRY_MARGIN = 15_000;

/** How far ahead slots are reserved (ms). */
const HORIZON = 1_000;

/**
 * A pause that ends later than the longest one was written before the database clock stepped back. It does not count.
 */
const isPausing = sql`paused_until > ${nowMilliseconds} AND paused_until <= ${nowMilliseconds} + ${MAX_PAUSE}`;

/** A row, and the slot in which its request may be sent. */
export interface Reservation {
  id: number;
  /** When the slot begins (ms of the database clock). */
  dueAt: number;
  /** The time from the reservation until then (ms). */
  delayMs: number;
}

/**
 * Limits the rate of requests to the provider. All processes share one row for each bucket, so that their requests are
 * evenly spread and stay below the limit in total.
 */
@Injectable()
export class RateLimiter {
  /** The buckets without a pause since the provider's last answer, when this process last read their rows. */
  private readonly withoutPauses = new Set<RateLimitBucket>();

  constructor(
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly config: Config,
  ) {}

  /**
   * Reserves a slot within the next second for each row that `choose` returns.
   * @param perSecond the permitted rate
   * @param most the maximum number of slots
   * @param choose selects up to `count` rows in the same transaction and returns their ids
   * @returns an empty list while requests are paused, or while another process reserves slots of this bucket
   */
  async reserve(
    transaction: Transaction,
    bucket: RateLimitBucket,
    { perSecond, most }: { perSecond: number; most: number },
    choose: (count: number) => Promise<number[]>,
  ): Promise<Reservation[]> {
    const [row] = await transaction.query<
      RateLimitRow & { now: number }
    >(sql`SELECT next_at, paused_until, pauses, ${nowMilliseconds} AS now FROM paces
        WHERE name = ${bucket} ${lockClause('FOR UPDATE SKIP LOCKED')}`);
    if (row?.pauses === 0) this.withoutPauses.add(bucket);
    else this.withoutPauses.delete(bucket);
    // A pause or a slot that is too far ahead was written before the database clock stepped back, and does not count.
    if (!row || (row.paused_until > row.now && row.paused_until <= row.now + MAX_PAUSE)) return [];
    const interval = 1_000 / (perSecond * USED_RATIO);
    const nextAt = row.next_at > row.now + HORIZON + interval ? row.now : row.next_at;
    const free = row.now + HORIZON - Math.max(nextAt, row.now);
    const count = Math.min(most, Math.ceil(free / interval));
    const ids = count > 0 ? await choose(count) : [];
    if (ids.length === 0) return [];
    // The selection takes time. Slots that were computed before it would be over already.
    const [chosen] = await transaction.query<{ now: number }>(sql`SELECT ${nowMilliseconds} AS now`);
    const first = Math.max(nextAt, chosen!.now);
    const slot = (index: number): number => Math.ceil(first + index * interval);
    await transaction.query(sql`UPDATE paces SET next_at = ${slot(ids.length)} WHERE name = ${bucket}`);
    return ids.map((id, index) => ({ id, dueAt: slot(index), delayMs: slot(index) - chosen!.now }));
  }

  /**
   * Gives slots back that will not be used, so that the next requests get them. Does nothing while another process
   * reserves slots of this bucket.
   * @param release releases reservations in the same transaction, and returns when the earliest of their slots begins
   *   (ms of the database clock). It and all later slots must be free then
   */
  async giveBack(
    transaction: Transaction,
    bucket: RateLimitBucket,
    release: () => Promise<number | undefined>,
  ): Promise<void> {
    const rows = await transaction.query(
      sql`SELECT 1 FROM paces WHERE name = ${bucket} ${lockClause('FOR UPDATE SKIP LOCKED')}`,
    );
    const first = rows.length > 0 ? await release() : undefined;
    if (first === undefined) return;
    await transaction.query(sql`UPDATE paces SET next_at = ${first} WHERE name = ${bucket} AND next_at > ${first}`);
  }

  /**
   * Pauses all requests of a bucket. Pauses in a row grow exponentially until the provider answers a request. Does
   * nothing while the bucket is paused, so that simultaneous refusals cause one pause.
   * @param reason the reason for people; null when they need not act
   */
  async pause(bucket: RateLimitBucket, reason: string | null): Promise<void> {
    this.withoutPauses.delete(bucket);
    await this.unitOfWork.run(async (transaction) => {
      const [row] = await transaction.query<{ pauses: number; pausing: boolean | number }>(
        sql`SELECT pauses, ${isPausing} AS pausing FROM paces WHERE name = ${bucket} ${lockClause('FOR UPDATE')}`,
      );
      if (!row || row.pausing) return;
      const length = Math.min(MAX_PAUSE, MIN_PAUSE * 2 ** Math.min(row.pauses, 10));
      await transaction.query(sql`UPDATE paces
          SET paused_until = ${nowMilliseconds} + ${length}, reason = ${reason}, pauses = pauses + 1
          WHERE name = ${bucket}`);
    });
  }

  /**
   * Ends the growth of pauses after the provider has answered a request. Does nothing during a pause, because the
   * request was sent before the pause. Writes nothing if the bucket had no pause when its last slots were reserved.
   */
  async resetBackoff(transaction: Transaction, bucket: RateLimitBucket): Promise<void> {
    if (this.withoutPauses.has(bucket)) return;
    await transaction.query(
      sql`UPDATE paces SET pauses = 0, reason = NULL WHERE name = ${bucket} AND pauses > 0 AND NOT (${isPausing})`,
    );
  }

  /**
   * Returns why the requests of a bucket are paused. After a pause, one request is tried, and its failure starts the
   * next pause. The reason stays until that try is recorded. It disappears when the provider answers, when no call
   * waits, or when any try must have ended.
   * @param isWaiting the condition that calls wait for such a request
   * @returns the reason, for people; undefined while the bucket is not paused
   */
  async pauseReason(bucket: RateLimitBucket, isWaiting: Sql): Promise<string | undefined> {
    const [row] = await this.reader.rows<{ reason: string | null }>(
      sql`SELECT reason FROM paces WHERE name = ${bucket} AND reason IS NOT NULL
        AND paused_until BETWEEN ${nowMilliseconds} - ${this.tryMilliseconds} AND ${nowMilliseconds} + ${MAX_PAUSE}
        AND (paused_until > ${nowMilliseconds} OR ${isWaiting})`,
    );
    return row?.reason ?? undefined;
  }

  /** How long the first try after a pause may take to fail (ms). */
  private get tryMilliseconds(): number {
    return this.config.providerTimeout * 1_000 + TRY_MARGIN;
  }
}
