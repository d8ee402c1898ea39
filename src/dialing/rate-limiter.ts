import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { locking, nowMilliseconds } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { Config } from '../config/config.js';
import type { RateLimitRow } from './rate-limit.entity.js';

export type RateLimitBucket = 'dial' | 'fetch';

/**
 * The share of the permitted rate that is used. A slot may be used a moment after its time, so a window of ten seconds
 * could hold the
 * slots of a little more than ten: what is left unused keeps it under the limit.
 */
const USED_RATIO = 0.95;

/** How long after its time a slot may still be used, in milliseconds. */
export const SLOT_TOLERANCE = 250;

/**
 * The shortest and the longest pause after the account was barred or the provider could not be reached, in
 * milliseconds.
 */
const MIN_PAUSE = 1_000;
const MAX_PAUSE = 60_000;

/** How much longer than the provider's time limit the first try after a pause may take until it is recorded (ms). */
const TRY_MARGIN = 15_000;

/** How far ahead slots are given out (ms). */
const HORIZON = 1_000;

/** A pause that ends further ahead than any can was written before the database's clock stepped back. */
const isPausing = sql`paused_until > ${nowMilliseconds} AND paused_until <= ${nowMilliseconds} + ${MAX_PAUSE}`;

/** A row with the slot in which its request may be sent. */
export interface Reservation {
  id: number;
  /** When the slot begins, in milliseconds of the database's clock. */
  dueAt: number;
  /** How long it is until then (ms). */
  delayMs: number;
}

/**
 * Limits the rate of requests to the provider. Each bucket is one row that all processes share: together they stay
 * below the limit, and their
 * requests are evenly spread.
 */
@Injectable()
export class RateLimiter {
  constructor(
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly config: Config,
  ) {}

  /**
   * Reserves a slot within the second ahead for each row that `choose` returns.
   * @param most the most rows to reserve slots for
   * @param choose selects up to `count` rows in the same transaction and returns their ids
   * @returns nothing while requests are paused, or while another process reserves slots of this bucket
   */
  async reserve(
    transaction: Transaction,
    bucket: RateLimitBucket,
    { perSecond, most }: { perSecond: number; most: number },
    choose: (count: number) => Promise<number[]>,
  ): Promise<Reservation[]> {
    const [row] = await transaction.query<
      RateLimitRow & { now: number }
    >(sql`SELECT next_at, paused_until, ${nowMilliseconds} AS now FROM paces
        WHERE name = ${bucket} ${locking('FOR UPDATE SKIP LOCKED')}`);
    // A pause or a slot further ahead than any can be was written before the database's clock stepped back: it does not
    // count.
    if (!row || (row.paused_until > row.now && row.paused_until <= row.now + MAX_PAUSE)) return [];
    const interval = 1_000 / (perSecond * USED_RATIO);
    const nextAt = row.next_at > row.now + HORIZON + interval ? row.now : row.next_at;
    const free = row.now + HORIZON - Math.max(nextAt, row.now);
    const count = Math.min(most, Math.ceil(free / interval));
    const ids = count > 0 ? await choose(count) : [];
    if (ids.length === 0) return [];
    // Choosing takes its time: slots from before would be over already.
    const [chosen] = await transaction.query<{ now: number }>(sql`SELECT ${nowMilliseconds} AS now`);
    const first = Math.max(nextAt, chosen!.now);
    const slot = (index: number): number => Math.ceil(first + index * interval);
    await transaction.query(sql`UPDATE paces SET next_at = ${slot(ids.length)} WHERE name = ${bucket}`);
    return ids.map((id, index) => ({ id, dueAt: slot(index), delayMs: slot(index) - chosen!.now }));
  }

  /**
   * Stops all requests of this kind for a while, which grows until one is taken again. Several refusals of one moment
   * are one pause.
   * @param reason what people are told; null when it is nothing that they need to mend
   */
  async pause(bucket: RateLimitBucket, reason: string | null): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const [row] = await transaction.query<{ pauses: number; pausing: boolean | number }>(
        sql`SELECT pauses, ${isPausing} AS pausing FROM paces WHERE name = ${bucket} ${locking('FOR UPDATE')}`,
      );
      if (!row || row.pausing) return;
      const length = Math.min(MAX_PAUSE, MIN_PAUSE * 2 ** Math.min(row.pauses, 10));
      await transaction.query(sql`UPDATE paces SET paused_until = ${nowMilliseconds} + ${length}, reason = ${reason}, pauses = pauses + 1
          WHERE name = ${bucket}`);
    });
  }

  /**
   * Notes that the provider answered a request: what the last pause was for is over. Does nothing during a pause: such
   * a request was sent before it began.
   */
  async resetBackoff(transaction: Transaction, bucket: RateLimitBucket): Promise<void> {
    await transaction.query(
      sql`UPDATE paces SET pauses = 0, reason = NULL WHERE name = ${bucket} AND pauses > 0 AND NOT (${isPausing})`,
    );
  }

  /**
   * Why dialing is paused, for people; undefined while it is not. After a pause one waiting call is tried, and a failure
   * starts the next pause. Until that try is recorded, the reason stays. It goes when the provider answers, when
   * no call waits, and at the latest when a try must have ended.
   * @param isWaiting the condition that calls wait to be dialed
   */
  async pauseReason(isWaiting: Sql): Promise<string | undefined> {
    const [row] = await this.reader.rows<{ reason: string | null }>(
      sql`SELECT reason FROM paces WHERE name = 'dial' AND reason IS NOT NULL
        AND paused_until BETWEEN ${nowMilliseconds} - ${this.tryMilliseconds} AND ${nowMilliseconds} + ${MAX_PAUSE}
        AND (paused_until > ${nowMilliseconds} OR ${isWaiting})`,
    );
    return row?.reason ?? undefined;
  }

  /** How long after a pause its first try may take to fail (ms). */
  private get tryMilliseconds(): number {
    return this.config.providerTimeout * 1_000 + TRY_MARGIN;
  }
}
