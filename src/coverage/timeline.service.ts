import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { notPermittedErrors } from '../api/list-request.js';
import type { ReportRequest } from '../api/report-query.js';
import { Records } from '../api/resources/records.js';
import { greatest, millisecondsOf } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
import { ValidationError, throwIfInvalid } from '../errors/errors.js';
import { isBlank } from '../metadata/client-values.js';
import { notAnsweredByMachine } from '../outcomes/call-result.js';
import type { TimelineInterval } from './coverage.dto.js';
import { fromDialedCalls } from './dialed-calls.js';

/** How long an interval is without `every` (s). */
export const DEFAULT_EVERY = 60;

/** The most intervals of a timeline. */
export const MAX_INTERVALS = 1_000;

/** An interval in which something happened, with what is the same in all rows. */
interface TimelineRow {
  /** When the first call was dialed (ms); null if none was. */
  first_ms: number | null;
  /** When the last thing happened (ms). */
  last_ms: number | null;
  /** The number of the interval, from 0 on; null if there are too many. */
  interval_number: number | null;
  attempts: number;
  reached: number;
  confirmed: number;
}

/** Reports when the people of a callout were called and reached. */
@Injectable()
export class TimelineService {
  constructor(
    private readonly reader: Reader,
    private readonly records: Records,
  ) {}

  /**
   * Counts dialed calls and reached people by intervals of `every` seconds, from the first dialed call to the last
   * thing that happened.
   *
   * @returns all intervals, also those in which nothing happened; none before the first call
   * @throws NotFoundError
   * @throws ValidationError when a parameter is invalid, or there are more than {@link MAX_INTERVALS} intervals
   */
  async report(calloutId: number, { parameters, answer }: ReportRequest): Promise<TimelineInterval[]> {
    await this.records.assertExists({ name: 'callouts' }, calloutId);
    const length = readEvery(parameters) * 1_000;
    const rows = await this.reader.rows<TimelineRow>(timelineStatement(calloutId, length), answer);
    const { first_ms: first, last_ms: last } = rows[0]!;
    if (first === null || last === null) return [];
    const count = Math.floor((last - first) / length) + 1;
    if (count > MAX_INTERVALS) throw tooManyIntervals(last - first);
    const intervals = Array.from({ length: count }, (_, number) => ({
      at: new Date(first + number * length).toISOString(),
      attempts: 0,
      reached: 0,
      confirmed: 0,
    }));
    for (const { interval_number: number, attempts, reached, confirmed } of rows)
      if (number !== null) Object.assign(intervals[number]!, { attempts, reached, confirmed });
    return intervals;
  }
}

/** @throws ValidationError when `every` is invalid, or another parameter is given */
function readEvery({ every = null, ...others }: Record<string, unknown>): number {
  const seconds = isBlank(every)
    ? DEFAULT_EVERY
    : typeof every === 'string' && /^\d{1,9}$/.test(every) && Number(every);
  throwIfInvalid({
    ...notPermittedErrors(others),
    ...(!seconds && { every: ['must be a whole number of seconds, from 1 to 999999999'] }),
  });
  return Number(seconds);
}

/** @param span the time between the first and the last thing that happened (ms) */
function tooManyIntervals(span: number): ValidationError {
  const smallest = Math.floor(span / (MAX_INTERVALS * 1_000)) + 1;
  return new ValidationError({ every: [`must be at least ${smallest}: a timeline has at most 1,000 intervals`] });
}

/** When the call ended that reached the person of a participation; NULL until then. */
const reachedAt = ((): Sql => {
  const calls = sql`SELECT calls.ended_at FROM phone_calls AS calls
    WHERE calls.callout_participation_id = callout_participations.id AND calls.ended_at IS NOT NULL`;
  // Nobody is called again after they have confirmed, so it was in the last completed call.
  return sql`CASE callout_participations.outcome
    WHEN 'answered' THEN
      (${calls} AND calls.status = 'completed' AND ${notAnsweredByMachine} ORDER BY calls.id LIMIT 1)
    ELSE (${calls} ORDER BY CASE calls.status WHEN 'completed' THEN 0 ELSE 1 END, calls.id DESC LIMIT 1) END`;
})();

/**
 * The statement that reads a timeline. Without intervals, or with too many, it has one row.
 *
 * @param length how long an interval is (ms)
 */
function timelineStatement(calloutId: number, length: number): Sql {
  const interval = sql`CAST(${length} AS bigint)`;
  return sql`WITH
    dialed AS MATERIALIZED (SELECT ${millisecondsOf(sql`phone_calls.dialled_at`)} AS ms ${fromDialedCalls(calloutId)}),
    reached AS MATERIALIZED (SELECT ${millisecondsOf(reachedAt)} AS ms, outcome FROM callout_participations
      WHERE callout_id = ${calloutId} AND outcome IN ('confirmed', 'answered')),
    happened AS (SELECT ms, 1 AS attempts, 0 AS reached, 0 AS confirmed FROM dialed
      UNION ALL SELECT ms, 0, 1, CASE outcome WHEN 'confirmed' THEN 1 ELSE 0 END FROM reached WHERE ms IS NOT NULL),
    bounds AS (SELECT (SELECT min(ms) FROM dialed) AS first_ms, (SELECT max(ms) FROM happened) AS last_ms)
    SELECT bounds.first_ms, bounds.last_ms, intervals.* FROM bounds LEFT JOIN (
      SELECT (${greatest(sql`ms`, sql`first_ms`)} - first_ms) / ${interval} AS interval_number,
        sum(attempts) AS attempts, sum(reached) AS reached, sum(confirmed) AS confirmed
      FROM happened CROSS JOIN bounds WHERE (last_ms - first_ms) / ${interval} < ${MAX_INTERVALS} GROUP BY 1
    ) AS intervals ON TRUE`;
}
