import { Injectable } from '@nestjs/common';
import sql, { type Sql, join, raw } from 'sql-template-tag';
import { CallFlowRunner } from '../call-flows/call-flow-runner.js';
import { persistWrites } from '../call-flows/persist-writes.js';
import { Config } from '../config/config.js';
import { greatest, inList, least, lockClause, now, parseJson, secondsFromNow } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import { findForUpdate } from '../database/rows.js';
import { violatedUniqueIndex } from '../database/database-errors.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { RateLimiter, type Reservation } from './rate-limiter.js';
import type { RemoteCall } from '../telephony/telephony-provider.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { awaitedStatuses } from '../phone-calls/phone-call.machine.js';
import { type UnmatchedCall, createdAt } from './remote-call-matching.js';
import { isMovable, movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import { stateAfter } from '../phone-calls/remote-state.js';

/** How many calls one run reserves for lookups. */
const MAX_LOOKUPS_PER_RUN = 100;

/** How long a lookup may wait and run beyond the provider's timeout before the call is looked up again (s). */
const LEASE_MARGIN = 15;

/** The longest pause between two lookups of a call (s), before jitter. */
const MAX_LOOKUP_BACKOFF = 3_600;

/** How much a pause varies in either direction, as a share of its length. */
const JITTER_RATIO = 0.25;

/** The number of lookups after which the pause stops growing. */
const MAX_DOUBLINGS = 10;

/** The first pause between two lookups of an uncertain call (s). */
const FIRST_UNCERTAIN_BACKOFF = 2;

/** How many lookups must fail to find a call that the provider accepted before the call is given up. */
const MIN_NOT_FOUND_LOOKUPS = 3;

/** How far `dialled_at` must lie in the future to show that the database clock has stepped back (s). */
const CLOCK_STEP_THRESHOLD = 60;

/** How many recent calls the clock offset is computed from. */
const CLOCK_OFFSET_SAMPLES = 9;

/** The columns that a lookup needs of a call whose state at the provider is awaited. */
export type AwaitedCall = Pick<PhoneCall, 'id' | 'status' | 'msisdn' | 'remote_call_id' | 'checks'>;

/**
 * Reconciles calls that have had no webhook for a while with their state at the provider. It schedules the lookups and
 * records their results; `FetchHandler` makes the requests.
 */
@Injectable()
export class CallReconciler {
  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reader: BackgroundReader,
    private readonly rateLimiter: RateLimiter,
    private readonly callFlowRunner: CallFlowRunner,
    private readonly config: Config,
  ) {}

  /** Reserves the calls whose lookup is due, as many as the rate limit for lookups has slots for. */
  reserve(): Promise<Reservation[]> {
    const limit = { perSecond: this.config.fetchesPerSecond, most: MAX_LOOKUPS_PER_RUN };
    return this.unitOfWork.run((transaction) =>
      this.rateLimiter.reserve(transaction, 'fetch', limit, async (count) => {
        const rows = await transaction.query<{
          id: number;
        }>(sql`SELECT id FROM phone_calls WHERE check_at IS NOT NULL AND check_at <= ${now}
            ORDER BY check_at LIMIT ${count} ${lockClause('FOR UPDATE SKIP LOCKED')}`);
        const ids = rows.map(({ id }) => id);
        if (ids.length > 0) {
          await movePhoneCalls(transaction, 'look_up', {
            values: { check_at: secondsFromNow(this.leaseSeconds), checks: sql`checks + 1` },
            where: inList(sql`id`, ids),
          });
        }
        return ids;
      }),
    );
  }

  /**
   * Makes lookups due that lie further ahead than the longest possible pause of their call. They were scheduled before
   * the database clock stepped back.
   * @returns the number of lookups
   */
  repairClockSteps(): Promise<number> {
    const shortest = Math.min(this.leaseSeconds, this.config.reconcileAfter);
    const number = (value: number): Sql => raw(String(value));
    const first = sql`CASE WHEN status = 'uncertain' THEN ${number(FIRST_UNCERTAIN_BACKOFF)}
      ELSE ${number(this.config.reconcileAfter)} END`;
    const doublings = sql`CAST(${least(sql`checks`, number(MAX_DOUBLINGS))} AS integer)`;
    const backOff = least(sql`(${first}) * (1 << ${doublings})`, number(MAX_LOOKUP_BACKOFF));
    const longest = greatest(sql`${backOff} * ${number(1 + JITTER_RATIO)}`, number(this.leaseSeconds));
    const tooFar = sql`SELECT id FROM phone_calls
      WHERE check_at > ${secondsFromNow(shortest)} AND check_at > ${secondsFromNow(sql`${longest} + 1`)}
      ${lockClause('FOR UPDATE SKIP LOCKED')}`;
    return this.unitOfWork.run((transaction) =>
      transaction.execute(sql`UPDATE phone_calls SET check_at = ${now} WHERE id IN (${tooFar})`),
    );
  }

  /**
   * Finds a call whose state at the provider is awaited. A call in any other status loses its scheduled lookup.
   * @returns undefined when there is nothing to look up
   */
  async findAwaited(id: number): Promise<AwaitedCall | undefined> {
    const awaited = sql`status IN (${join([...awaitedStatuses])})`;
    const call = await this.reader.row<AwaitedCall>(
      sql`SELECT id, status, msisdn, remote_call_id, checks FROM phone_calls WHERE id = ${id} AND ${awaited}`,
    );
    if (!call) {
      await this.unitOfWork.run((transaction) =>
        transaction.query(sql`UPDATE phone_calls SET check_at = NULL WHERE id = ${id} AND NOT ${awaited}`),
      );
    }
    return call;
  }

  /** @returns every dialed call to a number that has no provider id yet */
  async findUnmatched(msisdn: string): Promise<UnmatchedCall[]> {
    const rows = await this.reader.rows<{ id: number; dialled_at: Date | string; remote_request_params: unknown }>(
      sql`SELECT id, dialled_at, remote_request_params FROM phone_calls
        WHERE msisdn = ${msisdn} AND remote_call_id IS NULL AND dialled_at IS NOT NULL AND refusal_code IS NULL`,
    );
    return rows.map(({ id, dialled_at, remote_request_params }) => ({
      id,
      dialedAt: new Date(dialled_at),
      from: parseJson<{ from?: unknown }>(remote_request_params).from,
    }));
  }

  /**
   * Measures how far the provider's clock is ahead of the database's, from the latest calls that the provider accepted.
   * @returns the median in ms; undefined without such calls
   */
  async clockOffset(): Promise<number | undefined> {
    const rows = await this.reader.rows<{ dialled_at: Date | string; date_created: string | null }>(
      sql`SELECT dialled_at, remote_queue_response ->> 'date_created' AS date_created FROM phone_calls
        WHERE remotely_queued_at IS NOT NULL AND dialled_at IS NOT NULL ORDER BY remotely_queued_at DESC
        LIMIT ${CLOCK_OFFSET_SAMPLES}`,
    );
    const offsets = rows.flatMap(({ dialled_at, date_created }) => {
      const created = createdAt({ date_created });
      return created === undefined ? [] : [created - new Date(dialled_at).getTime()];
    });
    return offsets.toSorted((one, other) => one - other)[Math.floor(offsets.length / 2)];
  }

  /** @returns the provider's calls that are not linked to a phone call in the database */
  async excludeKnown(calls: RemoteCall[]): Promise<RemoteCall[]> {
    if (calls.length === 0) return [];
    const sids = calls.map(({ sid }) => sid);
    const known = await this.reader.rows<{ remote_call_id: string }>(
      sql`SELECT remote_call_id FROM phone_calls WHERE ${inList(sql`remote_call_id`, sids)}`,
    );
    return calls.filter(({ sid }) => !known.some(({ remote_call_id }) => remote_call_id === sid));
  }

  /**
   * Records the provider's state of a call. Records nothing if a callback has meanwhile linked the provider's call to
   * another phone call, or if the phone call was queued again.
   */
  async applyRemoteState(id: number, remote: RemoteCall): Promise<void> {
    await this.unitOfWork
      .run(async (transaction) => {
        const call = await findForUpdate(transaction, PhoneCall, id);
        // A callback has linked this phone call to another call of the provider.
        if (call.remote_call_id !== null && call.remote_call_id !== remote.sid) return;
        if (!isMovable('apply_remote_state', call.status)) return;
        const update = { remoteStatus: remote.status };
        const { status, remoteStatus } = stateAfter(call, update, ['remote_fetch_queued', 'uncertain']);
        const values = {
          lease_token: null,
          remote_call_id: remote.sid,
          remote_status: remoteStatus,
          remotely_queued_at: sql`coalesce(remotely_queued_at, dialled_at)`,
          check_at: secondsFromNow(this.backoffSeconds(call)),
        };
        const [loaded] = await this.callFlowRunner.loadContexts(transaction, [call]);
        const answeredBy = typeof remote.answered_by === 'string' ? remote.answered_by : '';
        const result = this.callFlowRunner.applyAnsweredBy(loaded!, call, answeredBy);
        const participations = new Set<number>();
        await movePhoneCalls(transaction, 'apply_remote_state', {
          values,
          target: status,
          set: sql`metadata = ${JSON.stringify(result.metadata)}, call_flow_state = ${JSON.stringify(result.state)},
            remote_direction = coalesce(remote_direction, ${remote.direction ?? null}),
            remote_response = ${JSON.stringify(remote)}`,
          where: sql`id = ${id}`,
          participations,
        });
        await persistWrites(transaction, [result], participations);
      })
      .catch((error: unknown) => {
        if (violatedUniqueIndex(error) !== 'phone_calls_remote_call_id_key') throw error;
      });
  }

  /** Schedules the next lookup of a call after one that found nothing new. */
  async reschedule(call: AwaitedCall): Promise<void> {
    const values = { check_at: secondsFromNow(this.backoffSeconds(call)) };
    const where = sql`id = ${call.id} AND status = ${call.status}`;
    await this.unitOfWork.run((transaction) =>
      call.status === 'remote_fetch_queued'
        ? movePhoneCalls(transaction, 'end_remote_fetch', { values, where })
        : movePhoneCalls(transaction, 'reschedule', { values, set: sql`updated_at = ${now}`, where }),
    );
  }

  /** Makes the lookup of a call due now. */
  async lookUpNow(id: number): Promise<void> {
    await this.unitOfWork.run((transaction) =>
      movePhoneCalls(transaction, 'reschedule', { values: { check_at: now }, where: sql`id = ${id}` }),
    );
  }

  /**
   * Records that the provider does not know a call. The provider may list calls late, so a call is given up only after
   * several lookups.
   */
  async applyNotFound(call: AwaitedCall): Promise<void> {
    if (call.remote_call_id !== null) {
      if (call.checks < MIN_NOT_FOUND_LOOKUPS) return this.reschedule(call);
      return this.giveUp(call, 'The provider took the call, but does not know it any more.');
    }
    if (!(await this.hasWaitedLongEnough(call))) return this.reschedule(call);
    const { uncertainFor } = this.config;
    return this.giveUp(
      call,
      `It is not known whether the provider took the call: its answer was lost, and for ${uncertainFor} seconds neither a callback nor ` +
        'its list of calls named it. It was not dialed again.',
    );
  }

  /**
   * Checks whether an uncertain call has been looked up for `UNCERTAIN_FOR` seconds. The number of lookups must fit
   * that time, because the database clock may have stepped forward. If the dial lies in the future, the clock has
   * stepped back, and only the number of lookups counts.
   */
  async hasWaitedLongEnough({ id, checks }: AwaitedCall): Promise<boolean> {
    const { uncertainFor } = this.config;
    const lookups = Math.floor(Math.log2(Math.max(1, uncertainFor / FIRST_UNCERTAIN_BACKOFF)));
    if (checks < lookups) return false;
    const waited = await this.reader.rows(
      sql`SELECT 1 FROM phone_calls WHERE id = ${id}
        AND (dialled_at < ${secondsFromNow(-uncertainFor)} OR dialled_at > ${secondsFromNow(CLOCK_STEP_THRESHOLD)})`,
    );
    return waited.length > 0;
  }

  private async giveUp(call: AwaitedCall, message: string): Promise<void> {
    await this.unitOfWork.run((transaction) =>
      movePhoneCalls(transaction, 'give_up', {
        values: { remote_error_message: message },
        where: sql`id = ${call.id} AND status = ${call.status}`,
      }),
    );
  }

  private get leaseSeconds(): number {
    return this.config.providerTimeout + LEASE_MARGIN;
  }

  /** The exponential backoff with jitter until the next lookup of a call (s). */
  private backoffSeconds({ checks, status }: AwaitedCall): number {
    const first = status === 'uncertain' ? FIRST_UNCERTAIN_BACKOFF : this.config.reconcileAfter;
    const pause = Math.min(MAX_LOOKUP_BACKOFF, first * 2 ** Math.min(checks, MAX_DOUBLINGS));
    return pause * (1 - JITTER_RATIO + 2 * JITTER_RATIO * Math.random());
  }
}
