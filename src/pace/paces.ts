import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { nowMilliseconds } from '../database/clock.js';
import { isPostgres } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
import { rowsOf } from '../database/statements.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { PaceRow } from './pace.entity.js';

export type PaceName = 'dial' | 'fetch';

/**
 * The share of the permitted rate that is used. A slot may be used a moment after its time, so a window of ten seconds could hold the
 * slots of a little more than ten: what is left unused keeps it under the limit.
 */
const USED_SHARE = 0.96;

/** How long after its time a slot may still be used, in milliseconds. */
export const SLOT_TOLERANCE = 250;

/** The shortest and the longest pause after the account was barred or the provider could not be reached, in milliseconds. */
const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** Times at which requests may be sent, taken for this process alone. */
export interface Slots {
  /** The database's clock when they were taken, in milliseconds. */
  now: number;
  first: number;
  interval: number;
  count: number;
}

/** The pace of requests to the provider: one row for all processes, so that together they keep under the limit, evenly spread. */
@Injectable()
export class Paces {
  constructor(
    private readonly reader: Reader,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * The slots that are free within the next `horizon` milliseconds, `most` at the most; undefined while dialling is paused, or another
   * process is just taking some. They are taken only by `take`, in the same transaction.
   */
  async free(
    manager: EntityManager,
    name: PaceName,
    perSecond: number,
    { horizon, most }: { horizon: number; most: number },
  ): Promise<Slots | undefined> {
    const lock = isPostgres ? sql`FOR UPDATE SKIP LOCKED` : sql``;
    const [row] = await rowsOf<PaceRow & { now: number }>(
      manager,
      sql`SELECT next_at, paused_until, ${nowMilliseconds} AS now FROM paces WHERE name = ${name} ${lock}`,
    );
    if (!row || row.paused_until > row.now) return undefined;
    const interval = 1_000 / (perSecond * USED_SHARE);
    const first = Math.max(row.next_at, row.now);
    const count = Math.min(most, Math.ceil((row.now + horizon - first) / interval));
    return count > 0 ? { now: row.now, first, interval, count } : undefined;
  }

  /** Takes the first `count` of the slots that were found free. */
  async take(manager: EntityManager, name: PaceName, { first, interval }: Slots, count: number): Promise<void> {
    if (count > 0)
      await rowsOf(
        manager,
        sql`UPDATE paces SET next_at = ${Math.ceil(first + count * interval)} WHERE name = ${name}`,
      );
  }

  /**
   * Stops all requests of this kind for a while, which grows until one is taken again. Several refusals of one moment are one pause.
   * @param reason what people are told; null when it is nothing that they need to mend
   */
  async pause(name: PaceName, reason: string | null): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const [row] = await rowsOf<{ pauses: number; pausing: boolean | number }>(
        manager,
        sql`SELECT pauses, paused_until > ${nowMilliseconds} AS pausing FROM paces WHERE name = ${name} ${forUpdate}`,
      );
      if (!row || row.pausing) return;
      const length = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(row.pauses, 10));
      await rowsOf(
        manager,
        sql`UPDATE paces SET paused_until = ${nowMilliseconds} + ${length}, reason = ${reason}, pauses = pauses + 1
          WHERE name = ${name}`,
      );
    });
  }

  /** Says that a request was taken: there is nothing to wait for any more. */
  async clear(manager: EntityManager, name: PaceName): Promise<void> {
    await rowsOf(manager, sql`UPDATE paces SET pauses = 0, reason = NULL WHERE name = ${name} AND pauses > 0`);
  }

  /** Why dialling is paused, for people; undefined while it is not. */
  async reason(): Promise<string | undefined> {
    const [row] = await this.reader.rows<{ reason: string | null }>(sql`SELECT reason FROM paces WHERE name = 'dial'`);
    return row?.reason ?? undefined;
  }
}

const forUpdate: Sql = isPostgres ? sql`FOR UPDATE` : sql``;
