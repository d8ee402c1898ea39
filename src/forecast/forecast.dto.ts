import { ApiProperty } from '@nestjs/swagger';

const time = (example: string) => ({ type: String, format: 'date-time', nullable: true, example }) as const;

/** People whom a callout does not call, by the reason. */
export class ForecastLeftOut {
  /**
   * How many people match the audience or take part, and opted out.
   * @example 12
   */
  do_not_call!: number;

  /**
   * How many contacts match the audience, and took part already when it was added, or would be: a client or another
   * population has added them.
   * @example 0
   */
  already_in_callout!: number;
}

/** What a forecast assumes of the calls to come. */
export class ForecastAssumption {
  /**
   * The share of calls that somebody answers.
   * @example 0.62
   */
  answer_rate!: number;

  /**
   * Where it comes from: the last calls of the callout, or those of the installation, or a default.
   * @example "the last 10,000 calls"
   */
  from!: string;
}

/** How long a callout takes from now on, or from its start on. */
export class Forecast {
  /**
   * How many people are left to be reached: those who take part and are open, and those whom the audience will add.
   * @example 10000
   */
  people!: number;

  left_out!: ForecastLeftOut;

  /** How many of the people have which time zone of their own. `none`: they have none, and that of the plan counts. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { 'Asia/Phnom_Penh': 9_100, none: 900 },
  })
  time_zones!: Record<string, number>;

  /**
   * The pace while people wait for their call, beside the other callouts (calls per second).
   * @example 0.95
   */
  calls_per_second!: number;

  /**
   * How many other callouts share the pace: those that are dialed now, and have the same or a more urgent priority.
   * @example 1
   */
  shared_with!: number;

  /**
   * How many calls are made to reach the people.
   * @example 16400
   */
  expected_calls!: number;

  /** When everybody has been called once. Null if everybody has, or if it cannot be known. */
  @ApiProperty(time('2026-11-28T05:00:00.000Z'))
  first_round_ends_at!: string | null;

  /** When the last call ends, as if the callout did not expire. Null if no call is left, or if it cannot be known. */
  @ApiProperty(time('2026-11-28T06:57:00.000Z'))
  ends_at!: string | null;

  /** Whether the callout ends before it expires. */
  feasible!: boolean;

  /** Why it does not; null if it does. */
  @ApiProperty({
    type: String,
    nullable: true,
    example: '10,000 people at 0.95 calls a second take 2 h 55 min; it expires in 1 h',
  })
  because!: string | null;

  assumed!: ForecastAssumption;
}
