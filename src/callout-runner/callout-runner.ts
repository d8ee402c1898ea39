import { Injectable, Logger } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import sql, { join } from 'sql-template-tag';
import { queueAudiencePopulation } from '../batch-operations/audience-population.js';
import { BatchOperation } from '../batch-operations/batch-operation.entity.js';
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
import { tryLockCalloutStatus } from '../outcomes/lock-callout-status.js';
import { awaitedStatuses } from '../phone-calls/phone-call.machine.js';
import { lockForRecall, requestRecall } from '../recalls/request-recall.js';
import { Attempts } from './attempts.js';
import { hasDue, hasOpen, hasUnfinished, limitPauses } from './due-people.js';
import { queuedAhead } from './queued-ahead.js';

/** The first key of the PostgreSQL advisory locks of callouts. The number is arbitrary, but unique in this program. */
const RUNNER_LOCK = 720_117_004;

/** The most attempts that one transaction makes. */
const CHUNK_SIZE = 2_000;

/** How often the population of an audience with `keep_adding` is repeated (s). */
const REPEAT_SECONDS = 60;

/**
 * Runs callouts: starts the scheduled ones, makes the attempts of dial plans shortly before they are dialed, repeats
 * populations, ends expired callouts, and completes those that have reached everybody they can. All state is in the
 * database. Any process may advance any callout at any time, or die while it does.
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
  async advance(id: number): Promise<boolean> {
    const { more, population } = await this.unitOfWork.run(async (transaction) => {
      if (!(await lock(transaction, id))) return { more: false };
      const callout = await transaction.find(Callout, { id });
      if (!callout) return { more: false };
      if (callout.status === 'scheduled') return this.startScheduled(transaction, callout);
      if (await this.expire(transaction, callout)) return { more: false };
      if (callout.status !== 'running') return { more: false };
      const repeated = await this.repeatPopulation(transaction, callout);
      const { more, population = repeated } = await this.run(transaction, callout);
      return { more, population };
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

  /** @returns whether more attempts can be made at once, and the id of a population that was queued */
  private async run(transaction: Transaction, callout: Callout): Promise<{ more: boolean; population?: number }> {
    const { id, dial_plan } = callout;
    if (!dial_plan) return { more: false };
    const plan = readDialPlan(dial_plan, this.config);
    const room = Math.min(CHUNK_SIZE, await this.roomFor(transaction, id, plan.callsPerSecond));
    if (room <= 0) return { more: false };
    const due = await this.attempts.make(transaction, id, plan.remoteRequestParams, room);
    if (due === 0) return { more: false, population: await this.finish(transaction, callout) };
    await forgetLastPopulation(transaction, callout);
    return { more: due === room };
  }

  /**
   * Completes a callout if nobody is left to be called. If its audience keeps adding people, a last population runs
   * before, because people may have registered since the previous one: it begins when nobody is left, and must add
   * nobody.
   * @returns the id of the last population, if it was queued
   */
  private async finish(transaction: Transaction, callout: Callout): Promise<number | undefined> {
    const { id, audience } = callout;
    // Otherwise people could be added meanwhile, who would wait for ever. The next poll tries again.
    if (!(await tryLockCalloutStatus(transaction, id))) return undefined;
    const { has_people_left, is_up_to_date } = await readProgress(transaction, id);
    if (has_people_left) await forgetLastPopulation(transaction, callout);
    if (has_people_left || !is_up_to_date) return undefined;
    if (audience && keepsAdding(audience)) {
      const last = await findLastPopulation(transaction, callout);
      // It is repeated after a minute.
      if (last?.status === 'failed') return undefined;
      if (last?.status !== 'finished' || last.processed > 0) {
        const population = await queueAudiencePopulation(transaction, id, populationParametersOf(audience));
        await transaction.update(Callout, { id }, { last_population_id: population });
        return population;
      }
    }
    await this.complete(transaction, callout);
    return undefined;
  }

  /**
   * @returns how many more attempts may wait in the queue: what can be dialed in a few minutes. The attempts for people
   *   who are held back, perhaps until the next morning of their time zone, leave room for those of others
   */
  private async roomFor(transaction: Transaction, id: number, rate = Infinity): Promise<number> {
    const most = queuedAhead(Math.min(rate, this.config.callsPerSecond));
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
    if (callout.status !== 'running' || !(await tryLockCalloutStatus(transaction, id))) return true;
    const { has_people_left, is_up_to_date } = await readProgress(transaction, id);
    if (is_up_to_date && !has_people_left) await this.complete(transaction, callout);
    return true;
  }

  private async complete(transaction: Transaction, callout: Callout): Promise<void> {
    const { from, to } = calloutSystemTransitions.complete;
    const { id } = callout;
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

/**
 * Reads how far a callout is, in one statement: people whom a population has added are left.
 * @returns whether somebody is to be called or being called, perhaps by a hand, and whether no population is to run and
 *   the outcomes are up to date
 */
async function readProgress(
  transaction: Transaction,
  id: number,
): Promise<Record<'has_people_left' | 'is_up_to_date', boolean | number>> {
  const [row] = await transaction.query<Record<'has_people_left' | 'is_up_to_date', boolean | number>>(
    sql`SELECT ${hasUnfinished(sql`${id}`)} OR EXISTS (
        SELECT 1 FROM phone_calls WHERE callout_id BETWEEN ${id} AND ${id} AND status = 'queued'
      ) OR EXISTS (
        SELECT 1 FROM phone_calls WHERE check_at IS NOT NULL AND ${notIndexed('phone_calls.status')} IN
          (${join([...awaitedStatuses])}) AND callout_id + 0 = ${id}
      ) AS has_people_left,
      outcomes_cursor IS NULL AND NOT EXISTS (
        SELECT 1 FROM batch_operations WHERE callout_id = ${id} AND type = ${CALLOUT_POPULATION}
          AND status IN ('queued', 'running')
      ) AS is_up_to_date FROM callouts WHERE id = ${id}`,
  );
  return row!;
}

/** @returns the last population of a callout; undefined if none was queued, or it had another audience */
async function findLastPopulation(
  transaction: Transaction,
  { last_population_id: id, audience }: Callout,
): Promise<BatchOperation | undefined> {
  const last = id === null ? undefined : await transaction.find(BatchOperation, { id });
  return isDeepStrictEqual(last?.parameters, populationParametersOf(audience ?? {})) ? last : undefined;
}

/** Makes another last population necessary, because people are left who were not when the last one began. */
async function forgetLastPopulation(transaction: Transaction, { id, last_population_id }: Callout): Promise<void> {
  if (last_population_id === null) return;
  await transaction.update(Callout, { id }, { last_population_id: null });
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
