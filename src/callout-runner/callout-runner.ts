import { Injectable, Logger } from '@nestjs/common';
import sql, { join } from 'sql-template-tag';
import { queueAudiencePopulation } from '../batch-operations/audience-population.js';
import { CALLOUT_POPULATION } from '../batch-operations/types/population-parameters.js';
import { KEEP_ADDING, keepsAdding, populationParametersOf } from '../callouts/audience.js';
import { statusColumns } from '../callouts/callout-status.js';
import { Callout } from '../callouts/callout.entity.js';
import { calloutSystemTransitions } from '../callouts/callout.machine.js';
import { Config } from '../config/config.js';
import { isPostgres, notIndexed, now, nowMilliseconds, parseJson, secondsFromNow } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { isNotHeldBack } from '../dialing/eligibility.js';
import { readDialPlan } from '../dial-plans/dial-plan.js';
import { longestPause } from '../dial-plans/retry-schedule.js';
import { Queue } from '../jobs/queue.port.js';
import { TRUE_WORDS } from '../metadata/client-values.js';
import { normalizedTextAt } from '../metadata/normalized-text-at.js';
import { awaitedStatuses } from '../phone-calls/phone-call.machine.js';
import { lockForRecall, requestRecall } from '../recalls/request-recall.js';
import { Attempts } from './attempts.js';
import { hasDue, hasOpen, hasUnfinished, limitPauses } from './due-people.js';

/** The first key of the PostgreSQL advisory locks of callouts. The number is arbitrary, but unique in this program. */
const RUNNER_LOCK = 720_117_004;

/** How many minutes of dialing are queued ahead at most, so that a stop has little to cancel. */
const MINUTES_AHEAD = 2;

/** The least and the most attempts of a callout that wait to be dialed. */
const MIN_QUEUED = 100;
const MAX_QUEUED = 10_000;

/** The most attempts that one transaction makes. */
const CHUNK_SIZE = 2_000;

/** How often the population of an audience with `keep_adding` is repeated (s). */
const REPEAT_SECONDS = 60;

/**
 * Runs callouts: starts the scheduled ones, makes the attempts of dial plans shortly before they are dialed, repeats
 * populations, ends expired callouts, and completes those that have reached everybody they can. All state is in the
 * database. Any process may look at any callout at any time, or die while it does.
 */
@Injectable()
export class CalloutRunner {
  private readonly logger = new Logger('CalloutRunner');

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reader: BackgroundReader,
    private readonly attempts: Attempts,
    private readonly queue: Queue,
    private readonly config: Config,
  ) {}

  /**
   * Finds callouts that have something to do. Costs nothing for people who are not due.
   * @param limit the most callouts
   * @param after the callouts with a higher id come first, so that each has its turn
   * @returns their ids
   */
  async findDue(limit: number, after: number): Promise<number[]> {
    const rows = await this.reader.rows<{ id: number }>(sql`SELECT id FROM (
      SELECT id FROM callouts WHERE status = 'scheduled' AND (starts_at IS NULL OR starts_at <= ${now})
      UNION
      SELECT id FROM callouts WHERE status = 'running' AND (
        dial_plan IS NOT NULL AND (${hasDue(sql`callouts.id`)} OR NOT ${hasUnfinished(sql`callouts.id`)})
        OR audience IS NOT NULL AND ${normalizedTextAt('audience', KEEP_ADDING)} IN (${join([...TRUE_WORDS])})
      )
      UNION
      SELECT id FROM callouts WHERE expires_at IS NOT NULL AND expires_at <= ${now}
        AND status NOT IN ('stopped', 'completed')
        AND (status = 'running' OR outcomes_cursor IS NULL AND ${hasOpen(sql`callouts.id`)} OR ${isRecallable})
      ) AS due ORDER BY CASE WHEN id > ${after} THEN 0 ELSE 1 END, id LIMIT ${limit}`);
    return rows.map(({ id }) => id);
  }

  /**
   * Limits planned times to the longest pause of their plan, for the case that the clock of the database has stepped
   * back since they were written: by hours, if a battery was dead and NTP has set it right. Otherwise people would wait
   * for those hours. It is enough to do this at the start, and when a step was noticed.
   */
  async limitPauses(): Promise<void> {
    const callouts = await this.reader.rows<Pick<Callout, 'id'> & { dial_plan: unknown }>(
      sql`SELECT id, dial_plan FROM callouts WHERE status IN ('running', 'paused') AND dial_plan IS NOT NULL`,
    );
    for (const { id, dial_plan } of callouts) {
      const longest = longestPause(readDialPlan(parseJson(dial_plan), this.config));
      const limitSome = () => this.unitOfWork.run((transaction) => limitPauses(transaction, id, longest, CHUNK_SIZE));
      while ((await limitSome()) === CHUNK_SIZE);
    }
  }

  /** @returns the time by the clock of the database (ms since 1970) */
  async readClock(): Promise<number> {
    const [row] = await this.reader.rows<{ now: number }>(sql`SELECT ${nowMilliseconds} AS now`);
    return Number(row!.now);
  }

  /**
   * Does what is due in one callout, in one transaction. Does nothing while another process works on the callout.
   * @returns whether there may be more to do at once
   */
  async look(id: number): Promise<boolean> {
    const { more, population } = await this.unitOfWork.run(async (transaction) => {
      if (!(await lock(transaction, id))) return { more: false };
      const callout = await transaction.find(Callout, { id });
      if (!callout) return { more: false };
      if (callout.status === 'scheduled') return this.startScheduled(transaction, callout);
      if (await this.expire(transaction, callout)) return { more: false };
      if (callout.status !== 'running') return { more: false };
      const population = await this.repeatPopulation(transaction, callout);
      return { more: await this.run(transaction, callout), population };
    });
    if (population !== undefined) this.queue.notify({ task: 'batch_operation', id: population });
    return more;
  }

  private async startScheduled(
    transaction: Transaction,
    callout: Callout,
  ): Promise<{ more: boolean; population?: number }> {
    const { from, to } = calloutSystemTransitions.begin;
    const isTime = await transaction.query(
      sql`SELECT 1 FROM callouts WHERE id = ${callout.id} AND (starts_at IS NULL OR starts_at <= ${now})`,
    );
    if (isTime.length === 0) return { more: false };
    const changes = { ...statusColumns(callout, to), status: to, updated_at: () => now.text };
    const started = await transaction.update(Callout, { id: callout.id, status: from[0] }, changes as object);
    if (started !== 1) return { more: false };
    this.logger.log(`Callout ${callout.id} has begun at its starts_at`);
    const { audience } = callout;
    return {
      more: true,
      ...(audience && {
        population: await queueAudiencePopulation(transaction, callout.id, populationParametersOf(audience)),
      }),
    };
  }

  /** Queues the population of an audience with `keep_adding` again, a minute after it finished. */
  private async repeatPopulation(transaction: Transaction, { id, audience }: Callout): Promise<number | undefined> {
    if (!audience || !keepsAdding(audience)) return undefined;
    const recent = await transaction.query(sql`SELECT 1 FROM batch_operations
        WHERE callout_id = ${id} AND type = ${CALLOUT_POPULATION}
          AND (status IN ('queued', 'running')
            OR updated_at BETWEEN ${secondsFromNow(-REPEAT_SECONDS)} AND ${secondsFromNow(REPEAT_SECONDS)}) LIMIT 1`);
    if (recent.length > 0) return undefined;
    return queueAudiencePopulation(transaction, id, populationParametersOf(audience));
  }

  /** @returns whether more attempts can be made at once */
  private async run(transaction: Transaction, callout: Callout): Promise<boolean> {
    const { id, dial_plan } = callout;
    if (!dial_plan) return false;
    const plan = readDialPlan(dial_plan, this.config);
    const room = Math.min(CHUNK_SIZE, await this.roomFor(transaction, id, plan.callsPerSecond));
    const due = room > 0 ? await this.attempts.make(transaction, id, plan.remoteRequestParams, room) : 0;
    if (room > 0 && due < room) await this.complete(transaction, callout);
    return due > 0 && due === room;
  }

  /**
   * @returns how many more attempts may wait in the queue: what can be dialed in a few minutes. The attempts for people
   *   who are held back, perhaps until the next morning of their time zone, leave room for those of others
   */
  private async roomFor(transaction: Transaction, id: number, rate = Infinity): Promise<number> {
    const perMinute = 60 * Math.min(rate, this.config.callsPerSecond);
    const most = Math.ceil(Math.min(MAX_QUEUED, Math.max(MIN_QUEUED, MINUTES_AHEAD * perMinute)));
    const [row] = await transaction.query<{ count: number }>(sql`SELECT count(*) AS count FROM (
        SELECT 1 FROM phone_calls
        WHERE callout_id BETWEEN ${id} AND ${id} AND status = 'queued' AND ${isNotHeldBack('phone_calls')}
        ORDER BY callout_id, id LIMIT ${most}
      ) AS queued`);
    return most - (row?.count ?? 0);
  }

  /**
   * Ends a callout whose time is over: the calls that the provider has are recalled, the outcomes of people who were to
   * be called are computed anew, and when no call is under way, the callout is completed.
   * @returns whether its time is over
   */
  private async expire(transaction: Transaction, callout: Callout): Promise<boolean> {
    const { id } = callout;
    const [expired] = await transaction.query<{ is_recallable: boolean | number }>(
      sql`SELECT ${isRecallable} AS is_recallable FROM callouts WHERE id = ${id} AND expires_at <= ${now}`,
    );
    if (!expired) return false;
    if (expired.is_recallable) await recallExpired(transaction, id);
    const waiting = await transaction.query(sql`SELECT 1 WHERE ${hasOpen(sql`${id}`)}`);
    if (waiting.length > 0) {
      await transaction.query(
        sql`UPDATE callouts SET outcomes_cursor = 0 WHERE id = ${id} AND outcomes_cursor IS NULL`,
      );
      return true;
    }
    await this.complete(transaction, callout);
    return true;
  }

  /** Completes a callout if its population is done, nobody is left to be called, and no call is under way. */
  private async complete(transaction: Transaction, callout: Callout): Promise<void> {
    const { from, to } = calloutSystemTransitions.complete;
    const { id } = callout;
    const isDone = await transaction.query(sql`SELECT 1 FROM callouts WHERE id = ${id} AND outcomes_cursor IS NULL
        AND NOT ${hasUnfinished(sql`${id}`)}
        AND NOT EXISTS (SELECT 1 FROM batch_operations WHERE callout_id = ${id} AND type = ${CALLOUT_POPULATION}
          AND status IN ('queued', 'running'))`);
    if (isDone.length === 0 || (await hasOpenCall(transaction, id))) return;
    const changes = { ...statusColumns(callout, to), status: to, updated_at: () => now.text };
    const completed = await transaction.update(Callout, { id, status: from[0] }, changes as object);
    if (completed === 1) this.logger.log(`Callout ${id} is completed`);
  }
}

/**
 * The condition that the calls of an expired callout are to be recalled: its expiry has not done so yet. A stopped or
 * completed callout keeps its receipt.
 */
const isRecallable = sql`(callouts.status NOT IN ('stopped', 'completed')
  AND NOT EXISTS (SELECT 1 FROM recalls WHERE recalls.callout_id = callouts.id
    AND reason = 'expiry' AND requested_at >= callouts.expires_at))`;

/** Recalls the calls of an expired callout, unless it was stopped, or has got another expiry, before it was locked. */
async function recallExpired(transaction: Transaction, id: number): Promise<void> {
  await lockForRecall(transaction, id);
  const due = await transaction.query(
    sql`SELECT 1 FROM callouts WHERE id = ${id} AND expires_at <= ${now} AND ${isRecallable}`,
  );
  if (due.length > 0) await requestRecall(transaction, id, { reason: 'expiry', endStatus: 'canceled' });
}

/** @returns whether a call of a callout is queued or under way. A hand may call people again who were reached */
async function hasOpenCall(transaction: Transaction, id: number): Promise<boolean> {
  const open = await transaction.query(sql`SELECT 1 WHERE EXISTS (
      SELECT 1 FROM phone_calls WHERE callout_id BETWEEN ${id} AND ${id} AND status = 'queued'
    ) OR EXISTS (
      SELECT 1 FROM phone_calls WHERE check_at IS NOT NULL AND ${notIndexed('phone_calls.status')} IN
        (${join([...awaitedStatuses])}) AND callout_id + 0 = ${id}
    )`);
  return open.length > 0;
}

/**
 * Keeps other processes from working on the callout until the transaction ends. The row is not locked, because
 * transactions lock participations before callouts.
 * @returns false if another process works on it
 */
async function lock(transaction: Transaction, id: number): Promise<boolean> {
  if (!isPostgres) return true;
  const [row] = await transaction.query<{ locked: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(${RUNNER_LOCK}, ${id % 2 ** 31}) AS locked`,
  );
  return row!.locked;
}
