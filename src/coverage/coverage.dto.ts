import { ApiProperty } from '@nestjs/swagger';
import { type CalloutStatus, calloutStatuses } from '../callouts/callout.machine.js';

const time = (example: string) => ({ type: String, format: 'date-time', nullable: true, example }) as const;

/** How many people were reached. */
export class ReachedCounts {
  /** @example 6100 */
  total!: number;
  /** @example 5000 */
  confirmed!: number;
  /** @example 1100 */
  answered!: number;
}

/** How many people were called and not reached, by what the last call came to. */
export class NotReachedCounts {
  /** @example 800 */
  total!: number;
  /** @example 150 */
  machine!: number;
  /** @example 100 */
  busy!: number;
  /** @example 400 */
  not_answered!: number;
  /** @example 120 */
  failed!: number;
  /** @example 25 */
  errored!: number;
  /** @example 5 */
  uncertain!: number;
}

/** How many people were not called. */
export class NotCalledCounts {
  /** @example 100 */
  total!: number;
  /** @example 10 */
  opted_out!: number;
  /** @example 90 */
  canceled!: number;
  /** @example 0 */
  expired!: number;
}

/** How many people are still to be called, or are being called. */
export class OpenCounts {
  /** @example 3000 */
  total!: number;
  /** @example 2500 */
  waiting!: number;
  /** @example 100 */
  calling!: number;
  /** @example 400 */
  retrying!: number;
}

/** How many people have each outcome. */
export class CoverageCounts {
  /**
   * How many people take part: the sum of `reached`, `not_reached`, `not_called` and `open`.
   * @example 10000
   */
  total!: number;
  reached!: ReachedCounts;
  not_reached!: NotReachedCounts;
  not_called!: NotCalledCounts;
  open!: OpenCounts;
}

/** The people whose contacts have the same value. */
export class CoverageGroup extends CoverageCounts {
  /**
   * The value as text, or its first 200 characters. Null: the contacts have no value. `…`: all values beyond the 1,000
   * most frequent ones. The people are listed by the filter `q[contact_metadata]` of the participations in the callout,
   * with the path and this value; without `=` for null.
   */
  @ApiProperty({ type: String, nullable: true, example: 'Pursat' })
  value!: string | null;
}

/** People who match the audience and do not take part. */
export class LeftOut {
  /**
   * How many contacts match the audience of the callout, opted out, and do not take part. 0 without an audience. They
   * are listed by `GET /api/callouts/{id}/left_out/contacts`.
   * @example 12
   */
  do_not_call!: number;
}

/** When a callout has reached which stage. */
export class CoverageClocks {
  /** When the callout ran for the first time. */
  @ApiProperty(time('2026-11-27T23:17:11.011Z'))
  started_at!: string | null;

  /** When the first call was dialed (`dialled_at`) that the provider accepted. */
  @ApiProperty(time('2026-11-27T23:17:11.643Z'))
  first_ring_at!: string | null;

  /** When half of all people who take part had been dialed for the first time. Null until then. */
  @ApiProperty(time('2026-11-28T00:40:31.200Z'))
  half_first_tried_at!: string | null;

  /** When nine tenths of all people who take part had been dialed for the first time. Null until then. */
  @ApiProperty(time('2026-11-28T01:47:11.800Z'))
  nine_tenths_first_tried_at!: string | null;

  /** When the newest call was dialed (`dialled_at`) that the provider accepted. */
  @ApiProperty(time('2026-11-28T02:04:52.020Z'))
  last_ring_at!: string | null;
}

/** What came of a callout, at one moment. */
export class Coverage extends CoverageCounts {
  /** @example 1 */
  callout_id!: number;

  @ApiProperty({ enum: calloutStatuses, example: 'running' })
  status!: CalloutStatus;

  /** When the report was made. The `ETag` does not depend on it. */
  @ApiProperty({ type: String, format: 'date-time', example: '2026-11-28T02:05:00.000Z' })
  at!: string;

  left_out!: LeftOut;
  clocks!: CoverageClocks;

  /** The same counts for each value, the largest group first. They add up to the whole. Only with `group_by`. */
  groups?: CoverageGroup[];
}

/** What happened in one interval of a callout. */
export class TimelineInterval {
  /** When the interval begins. The first one begins with the first attempt. */
  @ApiProperty({ type: String, format: 'date-time', example: '2026-11-27T23:17:11.643Z' })
  at!: string;

  /**
   * How many calls were dialed.
   * @example 57
   */
  attempts!: number;

  /**
   * How many people were reached: when their call ended.
   * @example 34
   */
  reached!: number;

  /**
   * How many of them have confirmed.
   * @example 28
   */
  confirmed!: number;
}
