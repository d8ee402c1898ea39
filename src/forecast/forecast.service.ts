import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { notPermittedErrors } from '../api/list-request.js';
import type { ReportRequest } from '../api/report-query.js';
import {
  contactsLeftOut,
  contactsPassedOver,
  contactsToAdd,
} from '../batch-operations/types/callout-population.type.js';
import { keepsAdding, populationParametersOf } from '../callouts/audience.js';
import { Config } from '../config/config.js';
import { inList, parseJson } from '../database/dialect.js';
import type { PendingResponse } from '../database/read-deadline.js';
import { Reader } from '../database/reader.js';
import { type DialPlan, readDialPlan } from '../dial-plans/dial-plan.js';
import { longestPause } from '../dial-plans/retry-schedule.js';
import { USED_RATIO } from '../dialing/rate-limiter.js';
import { NotFoundError, throwIfInvalid } from '../errors/errors.js';
import type { Metadata } from '../metadata/metadata.js';
import { type CallStatistics, assumeStatistics, meanCallSeconds } from './call-statistics.js';
import { type CalloutToDial, type ForecastInput, type MeasuredPace, forecastAt } from './forecast.js';
import type { Forecast, ForecastLeftOut } from './forecast.dto.js';
import {
  type CalloutRow,
  type DialedRow,
  type LeftOutRow,
  type OtherCalloutRow,
  type PeopleRow,
  type PopulationRow,
  type SampleRow,
  calloutStatement,
  dialedStatement,
  leftOutStatement,
  otherCalloutsStatement,
  peopleStatement,
  populationsStatement,
  sampleStatement,
  waitStatement,
} from './forecast-statements.js';

/** Planned times are counted in units of this part of the longest pause, and of at least a second. */
const PAUSE_PARTS = 20;

/** How long people must have waited for their turn until the pace is believed (s), and how many calls it needs. */
const MIN_SECONDS = 5;
const MIN_CALLS = 10;
/** The longest time over which a pace is measured (s), and the number of calls that is enough. */
const MAX_SECONDS = 120;
const ENOUGH_CALLS = 1_000;

/** A callout with its plan. */
type PlannedCallout = Omit<CalloutRow, 'dial_plan' | 'audience'> & { plan: DialPlan | null; audience: Metadata | null };

/** A forecast, and what it depends on besides the time. */
export interface DatedForecast {
  forecast: Forecast;
  /** It changes when the forecast does, except for what only follows from the passing of time. */
  content: object;
}

/** Forecasts how long callouts take. */
@Injectable()
export class ForecastService {
  constructor(
    private readonly reader: Reader,
    private readonly config: Config,
  ) {}

  /**
   * Forecasts a callout: from its start on, or from now on if it runs. A paused one is taken to be resumed now, and one
   * that is stopped or completed calls nobody.
   *
   * @throws NotFoundError
   * @throws ValidationError when a parameter is given
   */
  async report(calloutId: number, { parameters, answer }: ReportRequest): Promise<DatedForecast> {
    const row = await this.reader.row<CalloutRow>(calloutStatement(calloutId));
    if (!row) throw new NotFoundError();
    throwIfInvalid(notPermittedErrors(parameters));
    const callout = this.withPlan(row);
    const rows = await this.reader.rows<OtherCalloutRow>(otherCalloutsStatement(calloutId), answer);
    const others = rows.map((other) => ({ ...this.withPlan(other), toAdd: other.to_add }));
    const audience = await this.readAudience(callout, answer);
    const unit = pauseUnit([callout, ...others]);
    const people = await this.readPeople(callout, others, { toAdd: audience.toAdd, unit, answer });
    const statistics = await this.readStatistics(callout, answer);
    const own = people.filter((group) => group.callout_id === calloutId && !isOver(callout));
    const optedOut = own.filter((group) => group.opted_out);
    const input: ForecastInput = {
      callout: toDial(
        callout,
        own.filter((group) => !group.opted_out),
        startOf(callout),
        unit,
      ),
      others: others
        .map((other) => toDial(other, whomItDials(other, people), null, unit))
        .filter((other) => other.people.length > 0),
      callsPerSecond: this.config.callsPerSecond * USED_RATIO,
      maxCallsInFlight: this.config.maxCallsInFlight,
      statistics,
      measured: callout.status === 'running' ? await this.measurePace(callout, statistics, answer) : undefined,
      leftOut: {
        do_not_call: audience.leftOut.do_not_call + optedOut.reduce((sum, group) => sum + group.people, 0),
        already_in_callout: audience.leftOut.already_in_callout,
      },
    };
    const forecast = forecastAt(callout.now, input);
    return { forecast, content: { ...input, feasible: forecast.feasible } };
  }

  private withPlan({ dial_plan, audience, ...row }: CalloutRow): PlannedCallout {
    const stored = parseJson<Metadata | null>(dial_plan);
    return {
      ...row,
      plan: stored && readDialPlan(stored, this.config),
      audience: parseJson<Metadata | null>(audience),
    };
  }

  /** Reads whom the audience of a callout adds and leaves out. */
  private async readAudience(
    callout: PlannedCallout,
    answer: PendingResponse,
  ): Promise<{ toAdd: Sql; leftOut: ForecastLeftOut }> {
    if (!callout.audience || isOver(callout)) {
      return { toAdd: sql`FALSE`, leftOut: { do_not_call: 0, already_in_callout: 0 } };
    }
    const parameters = populationParametersOf(callout.audience);
    const population = { callout_id: callout.id, parameters };
    const populations = await this.reader.rows<PopulationRow>(populationsStatement(callout.id), answer);
    const isPending = populations.some(({ status }) => ['queued', 'running'].includes(status));
    const own = populations.filter((one) => isDeepStrictEqual(parseJson(one.parameters), parameters));
    const addedByOthers = sql`(callout_population_id IS NULL OR NOT ${inList(
      sql`callout_population_id`,
      own.map(({ id }) => id),
    )})`;
    const statement = leftOutStatement(contactsLeftOut(population), contactsPassedOver(population, addedByOthers));
    const [leftOut] = await this.reader.scan<LeftOutRow>(statement, answer);
    const adds = callout.status !== 'running' || isPending || keepsAdding(callout.audience);
    return { toAdd: adds ? contactsToAdd(population) : sql`FALSE`, leftOut: leftOut! };
  }

  /** Reads the people of all callouts, always in the same order. */
  private async readPeople(
    { id, plan }: PlannedCallout,
    others: readonly PlannedCallout[],
    { toAdd, unit, answer }: { toAdd: Sql; unit: number; answer: PendingResponse },
  ): Promise<PeopleRow[]> {
    const ids = others.map((other) => other.id);
    const statement = peopleStatement(id, ids, { zoneKey: plan?.timeZoneKey, toAdd, unit });
    const rows = await this.reader.scan<PeopleRow>(statement, answer);
    const keys = new Map(rows.map((row) => [row, Object.values(row).join()]));
    return rows.toSorted((one, other) => (keys.get(one)! < keys.get(other)! ? -1 : 1));
  }

  private async readStatistics({ id, plan }: PlannedCallout, answer: PendingResponse): Promise<CallStatistics> {
    const rows = await this.reader.rows<SampleRow>(sampleStatement(id), answer);
    const samples = rows.map(({ is_own, milliseconds, ...row }) => ({
      ...row,
      isOwn: Boolean(is_own),
      seconds: Math.max(0, milliseconds / 1_000),
    }));
    return assumeStatistics(samples, plan?.remoteRequestParams ?? {});
  }

  /** @returns the real pace while people waited for their turn; undefined if nobody did for long enough */
  private async measurePace(
    { id }: PlannedCallout,
    statistics: CallStatistics,
    answer: PendingResponse,
  ): Promise<MeasuredPace | undefined> {
    const [wait] = await this.reader.rows<{ milliseconds: number }>(waitStatement(id), answer);
    // With a limit of calls in flight, calls come in waves.
    const least = Math.max(MIN_SECONDS, 2 * meanCallSeconds(statistics));
    const enough = Math.max(least, ENOUGH_CALLS / this.config.callsPerSecond);
    const seconds = Math.min((wait?.milliseconds ?? 0) / 1_000, enough, MAX_SECONDS);
    if (seconds < least) return undefined;
    const [dialed] = await this.reader.rows<DialedRow>(dialedStatement(id, seconds), answer);
    const { all_calls: all, own_calls: own } = dialed!;
    return own >= MIN_CALLS ? { all: all / seconds, own: own / seconds } : undefined;
  }
}

/** @returns whether a callout calls nobody any more, unless it is resumed */
function isOver({ status }: Pick<CalloutRow, 'status'>): boolean {
  return status === 'stopped' || status === 'completed';
}

/** @returns when a callout starts to dial (ms since 1970), as soon as it is started; null if it runs */
function startOf({ status, starts_at, started_at }: PlannedCallout): number | null {
  if (status === 'running') return null;
  return started_at === null && starts_at !== null ? starts_at : 0;
}

/** @returns the unit of planned times (ms) */
function pauseUnit(callouts: readonly PlannedCallout[]): number {
  const pauses = callouts.flatMap(({ plan }) => (plan ? longestPause(plan) : []));
  const shortest = Math.min(...pauses.filter((pause) => pause > 0), PAUSE_PARTS * 60);
  return Math.round(1_000 * Math.max(1, shortest / PAUSE_PARTS));
}

/**
 * @param people the people of all callouts
 * @returns the people whom another callout dials: without a plan, or before its start, only those with a queued call
 */
function whomItDials(
  { id, status, plan, toAdd }: PlannedCallout & { toAdd: number },
  people: readonly PeopleRow[],
): PeopleRow[] {
  const own = people.filter(({ callout_id }) => callout_id === id);
  if (status !== 'running' || plan === null) return own.filter(({ state }) => state === 'queued');
  const added = { callout_id: id, zone: null, attempts: 0, state: 'open' as const, due: null, opted_out: false };
  return toAdd > 0 ? [...own, { ...added, people: toAdd }] : own;
}

/**
 * @param people the people of the callout
 * @param startsAt when it starts to dial (ms since 1970); null if it dials already
 * @param unit the unit of planned times (ms)
 */
function toDial(
  { priority, plan, expires_at }: PlannedCallout,
  people: readonly PeopleRow[],
  startsAt: number | null,
  unit: number,
): CalloutToDial {
  return {
    priority,
    plan,
    startsAt,
    expiresAt: expires_at,
    people: people.map(({ zone, attempts, state, due, people: count }) => ({
      zone,
      attempts,
      isUnderWay: state === 'under_way',
      dueAt: due === null ? null : (due + 0.5) * unit,
      people: count,
    })),
  };
}
