import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { Config } from '../config/config.js';
import { Batcher } from '../database/batcher.js';
import { inList, isPostgres, lockClause, recordset, secondsFromNow } from '../database/dialect.js';
import { isExpired } from '../database/lease.js';
import { BackgroundReader } from '../database/reader.js';
import type { Take } from '../database/take-once.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { type PhoneCallStatus, hasEnded } from '../phone-calls/phone-call.machine.js';
import { ANSWERED } from '../recalls/request-recall.js';
import type { EndStatus } from '../telephony/end-status.js';
import type { Ending } from '../telephony/telephony-provider.js';
import { CallReconciler } from './call-reconciler.js';
import { RateLimiter, type Reservation } from './rate-limiter.js';
import { MAX_BATCH_SIZE } from './reservation-window.js';

/** How many calls one run reserves for requests. */
const MAX_REQUESTS_PER_RUN = 1_000;

/** How long a request may wait and run beyond the provider's timeout before the provider is asked again (s). */
const LEASE_MARGIN = 5;

/** The pause until a call that the provider does not know yet, or may be dialed just now, is looked at again (s). */
const UNKNOWN_ID_PAUSE = 0.5;

/** The first and the longest pause until the provider is asked again about a call that has not ended (s). */
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 60;

/** The condition that calls wait for a request to end them. */
export const hasRecalledCalls: Sql = sql`EXISTS (SELECT 1 FROM recalled_calls WHERE due_at IS NOT NULL)`;

/** A call that the provider is to end. */
export interface RecallableCall {
  id: number;
  phone_call_id: number;
  remote_call_id: string;
  end_status: EndStatus;
  tries: number;
}

/** A row that is due, with the state of its call. */
type DueRow = Omit<RecallableCall, 'remote_call_id'> & {
  remote_call_id: string | null;
  status: PhoneCallStatus;
  remote_status: string | null;
  is_claimed: boolean | number;
};

/** What a request came to: the pause until the next one (s), and why it failed. */
interface RequestResult {
  id: number;
  tries: number;
  pause: number;
  error: string | null;
}

const dueColumns = sql`recalled_calls.id, recalled_calls.phone_call_id, recalled_calls.tries,
  phone_calls.remote_call_id, phone_calls.status, phone_calls.remote_status,
  phone_calls.lease_token IS NOT NULL AS is_claimed,
  (SELECT end_status FROM recalls WHERE recalls.id = recalled_calls.recall_id) AS end_status`;

/**
 * Recalls calls after a stop: it schedules the requests to end them and records the provider's responses.
 * `RecallHandler` makes the requests. A request may be repeated at any time, so a process that dies loses nothing.
 */
@Injectable()
export class CallRecaller {
  private readonly lookups = new Batcher((take: Take<number>) => this.findAll(take), MAX_BATCH_SIZE);
  private readonly results = new Batcher((take: Take<RequestResult>) => this.recordAll(take), MAX_BATCH_SIZE);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reader: BackgroundReader,
    private readonly rateLimiter: RateLimiter,
    private readonly reconciler: CallReconciler,
    private readonly config: Config,
  ) {}

  /** Reserves the calls that the provider is to be asked to end, as many as the rate limit has slots for. */
  async reserve(): Promise<Reservation[]> {
    // Usually no call waits to be recalled. Then nothing is written.
    const waiting = await this.reader.rows(sql`SELECT 1 WHERE ${hasRecalledCalls}`);
    if (waiting.length === 0) return [];
    const limit = { perSecond: this.config.recallsPerSecond, most: MAX_REQUESTS_PER_RUN };
    return this.unitOfWork.run((transaction) =>
      this.rateLimiter.reserve(transaction, 'recall', limit, (count) => this.choose(transaction, count)),
    );
  }

  /** Finds a call that is still to be ended. @returns undefined if there is nothing to ask for */
  find(id: number): Promise<RecallableCall | undefined> {
    return this.lookups.add(id);
  }

  /** Records the outcome of a request to end a call, and when the provider is asked again. */
  async record(call: RecallableCall, ending: Ending): Promise<void> {
    // When the provider ends a call, it sends a webhook. If that is lost, the next request finds that the call is over.
    if ('call' in ending && ending.call && ending.outcome !== 'ended') {
      await this.reconciler.applyRemoteState(call.phone_call_id, ending.call);
    } else if (ending.outcome === 'already_ended' || ending.outcome === 'not_found') {
      await this.reconciler.lookUpNow(call.phone_call_id);
    }
    await this.results.add({
      id: call.id,
      tries: call.tries,
      pause: pauseAfter(call, ending),
      error: 'message' in ending ? ending.message : null,
    });
  }

  private async findAll(take: Take<number>): Promise<(RecallableCall | undefined)[]> {
    const ids = take();
    const rows = await this.reader.rows<DueRow>(sql`SELECT ${dueColumns} FROM recalled_calls
        JOIN phone_calls ON phone_calls.id = recalled_calls.phone_call_id
        WHERE ${inList(sql`recalled_calls.id`, ids)} AND due_at IS NOT NULL`);
    const open = rows.filter((row) => !isOver(row)).filter(hasRemoteId);
    const found = new Map(open.map((row) => [row.id, row]));
    return ids.map((id) => found.get(id));
  }

  private async recordAll(take: Take<RequestResult>): Promise<void[]> {
    await this.unitOfWork.runShared(async (transaction) => {
      const results = take();
      if (results.some(({ error }) => error === null)) await this.rateLimiter.resetBackoff(transaction, 'recall');
      await lockRecalledCalls(transaction, results);
      const columns = { id: 'bigint', tries: 'bigint', pause: 'bigint', error: 'text' } as const;
      // A later stop or resume has set another time, or none.
      await transaction.execute(sql`UPDATE recalled_calls
          SET error = input.error, due_at = CASE WHEN input.pause >= 0 THEN ${secondsFromNow(sql`input.pause`)} END
          FROM ${recordset('input', columns, results)}
          WHERE recalled_calls.id = input.id AND due_at IS NOT NULL AND recalled_calls.tries = input.tries`);
    });
    return take().map(() => undefined);
  }

  /** Chooses due calls that the provider has. Puts off those whose id is not known, and drops those that are over. */
  private async choose(transaction: Transaction, count: number): Promise<number[]> {
    const due = await transaction.query<DueRow>(sql`SELECT ${dueColumns} FROM recalled_calls
        JOIN phone_calls ON phone_calls.id = recalled_calls.phone_call_id
        WHERE recalled_calls.due_at IS NOT NULL
          AND ${isExpired(sql`recalled_calls.due_at`, Math.max(LONGEST_PAUSE, this.leaseSeconds))}
        ORDER BY recalled_calls.due_at, recalled_calls.id LIMIT ${count}
        ${lockClause('FOR UPDATE OF recalled_calls SKIP LOCKED')}`);
    const over = due.filter(isOver);
    const open = due.filter((row) => !isOver(row));
    const chosen = open.filter(hasRemoteId);
    const unknown = open.filter((row) => !hasRemoteId(row));
    await update(transaction, over, sql`due_at = NULL`);
    await update(transaction, unknown, sql`due_at = ${secondsFromNow(UNKNOWN_ID_PAUSE)}`);
    await update(transaction, chosen, sql`due_at = ${secondsFromNow(this.leaseSeconds)}, tries = tries + 1`);
    return chosen.map(({ id }) => id);
  }

  private get leaseSeconds(): number {
    return this.config.providerTimeout + LEASE_MARGIN;
  }
}

/**
 * @returns the pause until the provider is asked again (s). If the call has ended by then, nothing is sent. Negative:
 *   it is not asked again
 */
function pauseAfter({ tries }: RecallableCall, { outcome }: Ending): number {
  switch (outcome) {
    case 'not_cancelable':
      return -1;
    case 'postponed':
    case 'barred':
    case 'unreachable':
      // The rate limit pauses all requests.
      return 0;
    default:
      return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(tries - 1, 10));
  }
}

function hasRemoteId<Row extends DueRow>(row: Row): row is Row & { remote_call_id: string } {
  return row.remote_call_id !== null;
}

/**
 * @returns whether there is nothing to ask for: the call has ended, will not be dialed, or is left alone. A call whose
 *   claim was released is not dialed while its callout is held back, and `resume` ends the recall
 */
function isOver({ status, remote_status, end_status, is_claimed }: DueRow): boolean {
  const isHeldBack = status === 'created' || (status === 'queued' && !is_claimed);
  return hasEnded(status) || isHeldBack || (remote_status === ANSWERED && end_status === 'canceled');
}

/** Locks recalled calls in the order of their ids, as a stop and a resume do, so that they cannot deadlock. */
async function lockRecalledCalls(transaction: Transaction, rows: readonly { id: number }[]): Promise<void> {
  if (!isPostgres) return;
  const ids = rows.map(({ id }) => id);
  await transaction.query(
    sql`SELECT 1 FROM recalled_calls WHERE ${inList(sql`id`, ids)} ORDER BY id ${lockClause('FOR NO KEY UPDATE')}`,
  );
}

async function update(transaction: Transaction, rows: readonly DueRow[], changes: Sql): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  await transaction.execute(sql`UPDATE recalled_calls SET ${changes} WHERE ${inList(sql`id`, ids)}`);
}
