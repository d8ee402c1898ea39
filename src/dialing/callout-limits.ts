import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { Config } from '../config/config.js';
import { inList, nowMilliseconds } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { callsInFlight } from './calls-in-flight.js';

/** How far ahead calls are reserved for a callout with its own rate (ms): the pause between two reservations. */
const HORIZON = 250;

/** What the plan of a callout limits. */
interface LimitedCallout {
  id: number;
  max_calls_in_flight: number | null;
  calls_per_second: number | null;
}

/** How many more calls of each callout may be reserved. Callouts whose plan has no limit of its own are not counted. */
export class RemainingCalls {
  /**
   * @param remaining by callout
   * @param rates by callout, for those with a rate of their own
   */
  constructor(
    private readonly remaining: Map<number, number>,
    private readonly rates: ReadonlyMap<number, { perSecond: number; nextAt: number }>,
  ) {}

  /** @returns how many calls of a callout may be reserved */
  of(calloutId: number): number {
    return this.remaining.get(calloutId) ?? Infinity;
  }

  /** Counts calls that are reserved, in the transaction that reserves them. */
  async use(transaction: Transaction, calls: readonly number[]): Promise<void> {
    if (this.remaining.size === 0 || calls.length === 0) return;
    const rows = await transaction.query<{ callout_id: number; count: number }>(
      sql`SELECT callout_id, count(*) AS count FROM phone_calls WHERE ${inList(sql`id`, calls)} GROUP BY callout_id`,
    );
    for (const { callout_id: id, count } of rows) {
      this.remaining.set(id, this.of(id) - count);
      const rate = this.rates.get(id);
      if (!rate) continue;
      rate.nextAt = Math.ceil(rate.nextAt + (count * 1_000) / rate.perSecond);
      await transaction.query(sql`INSERT INTO paces (name, next_at) VALUES (${paceOf(id)}, ${rate.nextAt})
        ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at`);
    }
  }
}

/**
 * Reads how far the limits of plans (`max_calls_in_flight` and `calls_per_second`) allow calls to be reserved. They
 * come on top of the limits of the installation. The caller holds the lock of the rate limiter, so that no other
 * process reserves calls meanwhile.
 */
@Injectable()
export class CalloutLimits {
  constructor(private readonly config: Config) {}

  /** @param callouts the ids of callouts that have a plan */
  async read(transaction: Transaction, callouts: readonly number[]): Promise<RemainingCalls> {
    const limited = await this.readLimited(transaction, callouts);
    const remaining = new Map<number, number>();
    const rates = new Map<number, { perSecond: number; nextAt: number }>();
    for (const { id, max_calls_in_flight: most, calls_per_second: perSecond } of limited) {
      let left = most === null ? Infinity : Math.max(0, most - (await this.countInFlight(transaction, id)));
      if (perSecond !== null) {
        const { nextAt, clock } = await readPace(transaction, id);
        // A time that is too far ahead was written before the database clock stepped back, and does not count.
        const isValid = nextAt - clock <= HORIZON + 1_000 / perSecond + 1_000;
        const first = isValid ? Math.max(nextAt, clock) : clock;
        left = Math.min(left, Math.max(0, Math.ceil(((clock + HORIZON - first) * perSecond) / 1_000)));
        rates.set(id, { perSecond, nextAt: first });
      }
      remaining.set(id, left);
    }
    return new RemainingCalls(remaining, rates);
  }

  private async readLimited(transaction: Transaction, callouts: readonly number[]): Promise<LimitedCallout[]> {
    if (callouts.length === 0) return [];
    const rows = await transaction.query<Record<keyof LimitedCallout, unknown>>(
      sql`SELECT id, dial_plan ->> 'max_calls_in_flight' AS max_calls_in_flight,
          dial_plan ->> 'calls_per_second' AS calls_per_second
        FROM callouts WHERE ${inList(sql`id`, callouts)} AND dial_plan IS NOT NULL`,
    );
    return rows
      .map((row) => ({
        id: Number(row.id),
        max_calls_in_flight: toNumber(row.max_calls_in_flight),
        calls_per_second: toNumber(row.calls_per_second),
      }))
      .filter((row) => row.max_calls_in_flight !== null || row.calls_per_second !== null);
  }

  private async countInFlight(transaction: Transaction, calloutId: number): Promise<number> {
    const [row] = await transaction.query<{ count: number }>(
      sql`SELECT ${callsInFlight(this.config, calloutId)} AS count`,
    );
    return row!.count;
  }
}

const paceOf = (calloutId: number): string => `callout:${calloutId}`;

async function readPace(transaction: Transaction, id: number): Promise<{ nextAt: number; clock: number }> {
  const [row] = await transaction.query<{ next_at: number | null; now: number }>(
    sql`SELECT (SELECT next_at FROM paces WHERE name = ${paceOf(id)}) AS next_at, ${nowMilliseconds} AS now`,
  );
  return { nextAt: Number(row!.next_at ?? 0), clock: row!.now };
}

function toNumber(value: unknown): number | null {
  return value === null ? null : Number(value);
}
