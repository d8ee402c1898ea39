import { Injectable } from '@nestjs/common';
import sql, { type Sql, join, raw } from 'sql-template-tag';
import { CallFlowRunner } from '../call-flows/call-flow-runner.js';
import { persistWrites } from '../call-flows/persist-writes.js';
import { Config } from '../config/config.js';
import { greatest, json, least, locking, now, secondsFromNow } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import { findForUpdate } from '../database/rows.js';
import { violatedUniqueIndex } from '../database/statements.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { RateLimiter, type Reservation } from './rate-limiter.js';
import type { RemoteCall } from '../telephony/telephony-provider.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { awaitedStatuses } from '../phone-calls/phone-call.machine.js';
import { type UnmatchedCall, createdAt } from './remote-call-matching.js';
import { canMove, isMovable, setClause } from '../phone-calls/phone-call-transitions.js';
import { stateAfter } from '../phone-calls/remote-state.js';

/** Calls that one round reserves to be looked up. */
const MAX_LOOKUPS_PER_RUN = 100;

/**
 * How long a lookup may outlast the provider's time limit (s), while it waits for its turn, before the call is looked
 * up again.
 */
const LEASE_MARGIN = 15;

/** The longest pause between two lookups of a call (s), and how much it varies. */
const MAX_LOOKUP_BACKOFF = 3_600;
const JITTER_RATIO = 0.25;

/** After so many lookups the pause no longer grows. */
const MAX_DOUBLINGS = 10;

/** The first pause between two lookups of an uncertain call (s). */
const FIRST_UNCERTAIN_BACKOFF = 2;

/** How often the provider must say that it knows no such call before it is believed. */
const MIN_NOT_FOUND_LOOKUPS = 3;

/** How far a dial may lie in the future (s) before it shows that the database's clock has stepped back. */
const CLOCK_STEP_THRESHOLD = 60;

/** Calls from which the difference of the clocks is learned. */
const CLOCK_OFFSET_SAMPLES = 9;

/** A call whose state at the provider is awaited, as far as a lookup needs it. */
export type AwaitedCall = Pick<PhoneCall, 'id' | 'status' | 'msisdn' | 'remote_call_id' | 'checks'>;

/** Looks up at the provider what became of calls that have been silent for a while. */
@Injectable()
export class CallReconciler {
  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reader: BackgroundReader,
    private readonly rateLimiter: RateLimiter,
    private readonly callFlowRunner: CallFlowRunner,
    private readonly config: Config,
  ) {}

  /** Reserves the calls that are due to be looked up, as many as the rate limit of lookups has slots for. */
  reserve(): Promise<Reservation[]> {
    const limit = { perSecond: this.config.fetchesPerSecond, most: MAX_LOOKUPS_PER_RUN };
    return this.unitOfWork.run((transaction) =>
      this.rateLimiter.reserve(transaction, 'fetch', limit, async (count) => {
        const rows = await transaction.query<{
          id: number;
        }>(sql`SELECT id FROM phone_calls WHERE check_at IS NOT NULL AND check_at <= ${now}
            ORDER BY check_at LIMIT ${count} ${locking('FOR UPDATE SKIP LOCKED')}`);
        const ids = rows.map(({ id }) => id);
        if (ids.length > 0) {
          await transaction.query(sql`UPDATE phone_calls
              SET ${setClause('look_up', { check_at: secondsFromNow(this.leaseSeconds), checks: sql`checks + 1` })}
              WHERE id IN (${join(ids)})`);
        }
        return ids;
      }),
    );
  }

  /**
   * Makes lookups due that lie further ahead than the longest pause which their call can have: the database's clock has
   * stepped back since
   * they were planned. @returns how many there were
   */
  repairClockSteps(): Promise<number> {
    const shortest = Math.min(this.leaseSeconds, this.config.reconcileAfter);
    const number = (value: number): Sql => raw(String(value));
    const first = sql`CASE WHEN status = 'uncertain' THEN ${number(FIRST_UNCERTAIN_BACKOFF)} ELSE ${number(this.config.reconcileAfter)} END`;
    const doublings = sql`CAST(${least(sql`checks`, number(MAX_DOUBLINGS))} AS integer)`;
    const backOff = least(sql`(${first}) * (1 << ${doublings})`, number(MAX_LOOKUP_BACKOFF));
    const longest = greatest(sql`${backOff} * ${number(1 + JITTER_RATIO)}`, number(this.leaseSeconds));
    const tooFar = sql`SELECT id FROM phone_calls
      WHERE check_at > ${secondsFromNow(shortest)} AND check_at > ${secondsFromNow(sql`${longest} + 1`)}
      ${locking('FOR UPDATE SKIP LOCKED')}`;
    return this.unitOfWork.run((transaction) =>
      transaction.execute(sql`UPDATE phone_calls SET check_at = ${now} WHERE id IN (${tooFar})`),
    );
  }

  /** The call, if there is still something to look up; undefined otherwise, and then it is not looked up again. */
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

  /** Every dialed call to a number whose id at the provider is not known. */
  async findUnmatched(msisdn: string): Promise<UnmatchedCall[]> {
    const rows = await this.reader.rows<{ id: number; dialled_at: Date | string; remote_request_params: unknown }>(
      sql`SELECT id, dialled_at, remote_request_params FROM phone_calls
        WHERE msisdn = ${msisdn} AND remote_call_id IS NULL AND dialled_at IS NOT NULL AND refusal_code IS NULL`,
    );
    return rows.map(({ id, dialled_at, remote_request_params }) => ({
      id,
      dialedAt: new Date(dialled_at),
      from: json<{ from?: unknown }>(remote_request_params).from,
    }));
  }

  /**
   * How far the provider's clock is ahead of the database's (ms), as the latest calls show that the provider took;
   * undefined when there are none.
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

  /** Those of the provider's calls which no phone call of ours is known to be. */
  async excludeKnown(calls: RemoteCall[]): Promise<RemoteCall[]> {
    if (calls.length === 0) return [];
    const known = await this.reader.rows<{ remote_call_id: string }>(
      sql`SELECT remote_call_id FROM phone_calls WHERE remote_call_id IN (${join(calls.map(({ sid }) => sid))})`,
    );
    return calls.filter(({ sid }) => !known.some(({ remote_call_id }) => remote_call_id === sid));
  }

  /**
   * Records what the provider says of a call. Nothing is recorded if a callback has named another call of ours as this
   * one, or if the call was
   * queued again meanwhile.
   */
  async applyRemoteState(id: number, remote: RemoteCall): Promise<void> {
    await this.unitOfWork
      .run(async (transaction) => {
        const call = await findForUpdate(transaction, PhoneCall, id);
        // A callback with our own id has named another call meanwhile.
        if (call.remote_call_id !== null && call.remote_call_id !== remote.sid) return;
        if (!isMovable('apply_remote_state', call.status)) return;
        const news = { remoteStatus: remote.status };
        const { status, remoteStatus } = stateAfter(call, news, ['remote_fetch_queued', 'uncertain']);
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
        await transaction.query(sql`UPDATE phone_calls SET ${setClause('apply_remote_state', values, status)},
              metadata = ${JSON.stringify(result.metadata)}, call_flow_state = ${JSON.stringify(result.state)},
              remote_direction = coalesce(remote_direction, ${remote.direction ?? null}),
              remote_response = ${JSON.stringify(remote)}
            WHERE id = ${id}`);
        await persistWrites(transaction, [result]);
      })
      .catch((error: unknown) => {
        if (violatedUniqueIndex(error) !== 'phone_calls_remote_call_id_key') throw error;
      });
  }

  /** Plans the next lookup of a call of which nothing new is known. */
  async reschedule(call: AwaitedCall): Promise<void> {
    const values = { check_at: secondsFromNow(this.backoffSeconds(call)) };
    const changes =
      call.status === 'remote_fetch_queued'
        ? setClause('end_remote_fetch', values)
        : sql`${setClause('reschedule', values)}, updated_at = ${now}`;
    await this.unitOfWork.run((transaction) =>
      transaction.query(sql`UPDATE phone_calls SET ${changes} WHERE id = ${call.id} AND status = ${call.status}`),
    );
  }

  /**
   * Records that the provider does not know a call. It may only be late, so the call is given up after several lookups.
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
   * Whether an uncertain call has been looked up for as long as the setting says. The database's clock may step:
   * forward, then the lookups
   * that fit into the time have not all been made; back, then the dial lies in the future and the lookups alone count.
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
      transaction.query(sql`UPDATE phone_calls SET ${setClause('give_up', { remote_error_message: message })}
          WHERE id = ${call.id} AND status = ${call.status} AND ${canMove('give_up')}`),
    );
  }

  private get leaseSeconds(): number {
    return this.config.providerTimeout + LEASE_MARGIN;
  }

  /** Seconds until the next lookup of a call: growing, and never the same for two calls. */
  private backoffSeconds({ checks, status }: AwaitedCall): number {
    const first = status === 'uncertain' ? FIRST_UNCERTAIN_BACKOFF : this.config.reconcileAfter;
    const pause = Math.min(MAX_LOOKUP_BACKOFF, first * 2 ** Math.min(checks, MAX_DOUBLINGS));
    return pause * (1 - JITTER_RATIO + 2 * JITTER_RATIO * Math.random());
  }
}
