import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { locking, nowMilliseconds } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { Config } from '../config.js';
import type { PaceRow } from './pace.entity.js';

export type PaceName = 'dial' | 'fetch';

/**
 * The share of the permitted rate that is used. A slot may be used a moment after its time, so a window of ten seconds could hold the
 * slots of a little more than ten: what is left unused keeps it under the limit.
 */
const USED_SHARE = 0.95;

/** How long after its time a slot may still be used, in milliseconds. */
export const SLOT_TOLERANCE = 250;

/** The shortest and the longest pause after the account was barred or the provider could not be reached, in milliseconds. */
const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** How much longer than the provider's time limit the first try after a pause may take until it is recorded (ms). */
const TRY_MARGIN = 15_000;

/** No more than a second's worth of requests is handed out at once, in milliseconds. */
const HORIZON = 1_000;

/** A row whose request is to be sent at a time by the database's clock, in milliseconds, `wait` milliseconds from now. */
export interface HandedOut {
  id: number;
  at: number;
  wait: number;
}

/** The pace of requests to the provider: one row for all processes, so that together they keep under the limit, evenly spread. */
@Injectable()
export class Paces {
  constructor(
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly config: Config,
  ) {}

  /**
   * Gives each of the rows that `choose` answers a slot of its own within the second ahead; none while requests are paused, or another
   * process is just handing some out.
   * @param most rows at the most
   * @param choose takes up to so many rows, in the same transaction, and answers their ids
   */
  async handOut(
    transaction: Transaction,
    name: PaceName,
    { perSecond, most }: { perSecond: number; most: number },
    choose: (count: number) => Promise<number[]>,
  ): Promise<HandedOut[]> {
    const [row] = await transaction.query<
      PaceRow & { now: number }
    >(sql`SELECT next_at, paused_until, ${nowMilliseconds} AS now FROM paces
        WHERE name = ${name} ${locking('FOR UPDATE SKIP LOCKED')}`);
    // A pause or a slot further ahead than any can be was written before the database's clock stepped back: it does not count.
    if (!row || (row.paused_until > row.now && row.paused_until <= row.now + LONGEST_PAUSE)) return [];
    const interval = 1_000 / (perSecond * USED_SHARE);
    const nextAt = row.next_at > row.now + HORIZON + interval ? row.now : row.next_at;
    const free = row.now + HORIZON - Math.max(nextAt, row.now);
    const count = Math.min(most, Math.ceil(free / interval));
    const ids = count > 0 ? await choose(count) : [];
    if (ids.length === 0) return [];
    // Choosing takes its time: slots from before would be over already.
    const [chosen] = await transaction.query<{ now: number }>(sql`SELECT ${nowMilliseconds} AS now`);
    const first = Math.max(nextAt, chosen!.now);
    const slot = (index: number): number => Math.ceil(first + index * interval);
    await transaction.query(sql`UPDATE paces SET next_at = ${slot(ids.length)} WHERE name = ${name}`);
    return ids.map((id, index) => ({ id, at: slot(index), wait: slot(index) - chosen!.now }));
  }

  /**
   * Stops all requests of this kind for a while, which grows until one is taken again. Several refusals of one moment are one pause.
   * @param reason what people are told; null when it is nothing that they need to mend
   */
  async pause(name: PaceName, reason: string | null): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const [row] = await transaction.query<{
        pauses: number;
        pausing: boolean | number;
      }>(sql`SELECT pauses, paused_until > ${nowMilliseconds} AND paused_until <= ${nowMilliseconds} + ${LONGEST_PAUSE} AS pausing
          FROM paces
          WHERE name = ${name} ${locking('FOR UPDATE')}`);
      if (!row || row.pausing) return;
      const length = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(row.pauses, 10));
      await transaction.query(sql`UPDATE paces SET paused_until = ${nowMilliseconds} + ${length}, reason = ${reason}, pauses = pauses + 1
          WHERE name = ${name}`);
    });
  }

  /** Says that a request was taken: there is nothing to wait for any more. */
  async clear(transaction: Transaction, name: PaceName): Promise<void> {
    await transaction.query(sql`UPDATE paces SET pauses = 0, reason = NULL WHERE name = ${name} AND pauses > 0`);
  }

  /**
   * Why dialing is paused, for people; undefined while it is not. While calls wait, one is tried after each pause, and a refusal starts the
   * next one: a reason whose pause ended longer ago than a try takes is out of date.
   */
  async reason(): Promise<string | undefined> {
    const row = await this.reader.row<{ reason: string | null }>(
      sql`SELECT reason FROM paces WHERE name = 'dial'
        AND paused_until BETWEEN ${nowMilliseconds} - ${this.tryMilliseconds} AND ${nowMilliseconds} + ${LONGEST_PAUSE}`,
    );
    return row?.reason ?? undefined;
  }

  /** How long after a pause its first try may take to fail (ms). */
  private get tryMilliseconds(): number {
    return this.config.providerTimeout * 1_000 + TRY_MARGIN;
  }
}
