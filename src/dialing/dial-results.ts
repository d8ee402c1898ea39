import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { matchAll } from '../api/filters/filter.js';
import { Config } from '../config/config.js';
import { recordset, now, secondsFromNow } from '../database/dialect.js';
import { Batcher } from '../database/batcher.js';
import type { Take } from '../database/take-once.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { RateLimiter } from './rate-limiter.js';
import type { Placement, Refusal } from '../telephony/telephony-provider.js';
import { CalloutTrials } from './callout-trials.js';
import type { ClaimedCall } from './dial-claims.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { type MoveValues, movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import type { PhoneCallMove } from '../phone-calls/phone-call.machine.js';
import { MAX_DIAL_BACKOFF } from './dial-leases.js';
import { lockPhoneCalls } from '../phone-calls/lock-phone-calls.js';
import { type RemoteIdOwner, retractGuessedIds } from '../phone-calls/remote-call-ids.js';
import { statusAfter } from '../phone-calls/remote-state.js';
import { MAX_BATCH_SIZE } from './reservation-window.js';

/** The time until the first lookup of an uncertain call (s). */
const FIRST_LOOKUP_DELAY = 2;

/** The result of a dial: the provider's response, or that the call had nothing to send. */
export type DialResult = Placement | { outcome: 'unsendable'; message: string };

/** The outcomes that show that the provider is reachable and serves the account. */
const ANSWERED_OUTCOMES: readonly DialResult['outcome'][] = ['accepted', 'refused', 'misconfigured'];

interface Dialed {
  call: ClaimedCall;
  result: DialResult;
}

/** Records the results of dials. A webhook that arrived before the provider's response is never undone. */
@Injectable()
export class DialResults {
  private readonly batches = new Batcher((take: Take<Dialed>) => this.recordAll(take), MAX_BATCH_SIZE);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly rateLimiter: RateLimiter,
    private readonly trials: CalloutTrials,
    private readonly config: Config,
  ) {}

  /** @throws Error when the result cannot be stored. The claim then expires, and the call becomes uncertain. */
  record(call: ClaimedCall, result: DialResult): Promise<void> {
    return this.batches.add({ call, result });
  }

  private recordAll(take: Take<Dialed>): Promise<void[]> {
    return this.unitOfWork.runShared(async (transaction) => {
      const dialed = take();
      // As the reservation does, before it locks calls and participations.
      if (dialed.some(({ result }) => ANSWERED_OUTCOMES.includes(result.outcome)))
        await this.rateLimiter.resetBackoff(transaction, 'dial');
      const accepted = dialed.filter(({ result }) => result.outcome === 'accepted').map(toAcceptedRow);
      const refused = await this.trials.findRefused(transaction, refusalsIn(dialed));
      await lockPhoneCalls(
        transaction,
        [...dialed.map(({ call }) => call.id), ...refused.map(({ id }) => id)],
        accepted.map(({ remote_call_id }) => remote_call_id),
      );
      const participations = new Set(refused.map(({ participation }) => participation));
      await this.recordAccepted(transaction, accepted, participations);
      for (const { call, result } of dialed) {
        if (result.outcome !== 'accepted') await this.recordNotAccepted(transaction, call, result, participations);
      }
      await refreshOutcomes(transaction, participations);
      await this.recordTrials(transaction, dialed);
      return dialed.map(() => undefined);
    });
  }

  /** Records what the results say about the settings of the callouts. */
  private async recordTrials(transaction: Transaction, dialed: Dialed[]): Promise<void> {
    // The provider accepts calls of these callouts, or may have: their settings are not at fault.
    const passed = dialed.filter(
      ({ call, result }) => call.on_trial && ['accepted', 'unknown'].includes(result.outcome),
    );
    const passedIds = new Set(passed.map(({ call }) => call.callout_id!));
    const refusals = refusalsIn(dialed);
    const refusedIds = refusals.map(({ callout_id }) => callout_id);
    await this.trials.lockCallouts(transaction, new Set([...passedIds, ...refusedIds]));
    await this.trials.endTrials(transaction, passedIds);
    for (const one of refusals) await this.trials.recordRefusal(transaction, one, one.refusal);
  }

  /**
   * Moves the calls that the provider accepted, including those that were given up before its response arrived. If a
   * webhook has already moved the call, only stores the response.
   */
  private async recordAccepted(
    transaction: Transaction,
    accepted: AcceptedRow[],
    participations: Set<number>,
  ): Promise<void> {
    if (accepted.length === 0) return;
    const from = recordset('input', acceptedColumns, accepted);
    const answer = {
      lease_token: null,
      remote_call_id: sql`input.remote_call_id`,
      remotely_queued_at: sql`coalesce(phone_calls.remotely_queued_at, phone_calls.dialled_at)`,
    };
    const stored = sql`remote_queue_response = input.answer,
      call_flow_state = coalesce(phone_calls.call_flow_state, input.call_flow_state)`;
    const givenUp = sql`phone_calls.status = 'errored' AND phone_calls.lease_token IS NULL
      AND phone_calls.remote_call_id IS NULL`;
    const move = (condition: Sql): Promise<unknown[]> =>
      movePhoneCalls(transaction, 'record_accepted', {
        values: {
          ...answer,
          remote_status: sql`input.remote_status`,
          check_at: secondsFromNow(this.config.reconcileAfter),
          checks: 0,
        },
        target: sql`input.status`,
        set: sql`${stored}, remote_direction = input.remote_direction`,
        from,
        where: sql`phone_calls.id = input.id AND (phone_calls.lease_token = input.lease_token OR ${givenUp})
          AND ${condition}`,
        participations,
      });
    const moved = await move(isIdFree);
    if (moved.length === accepted.length) return;
    await retractGuessedIds(transaction, accepted, participations);
    await move(matchAll);
    await movePhoneCalls(transaction, 'record_late_answer', {
      values: answer,
      set: sql`${stored}, updated_at = ${now}`,
      from,
      where: sql`phone_calls.id = input.id AND phone_calls.lease_token = input.lease_token`,
    });
  }

  private async recordNotAccepted(
    transaction: Transaction,
    call: ClaimedCall,
    result: Exclude<DialResult, { outcome: 'accepted' }>,
    participations: Set<number>,
  ): Promise<void> {
    const where = sql`id = ${call.id} AND lease_token = ${call.lease_token}`;
    const move = <M extends PhoneCallMove>(name: M, values: MoveValues<M>): Promise<unknown> =>
      movePhoneCalls(transaction, name, { values, where, participations });
    const { outcome, message } = result;
    switch (outcome) {
      case 'unsendable':
        await move('record_unsendable', { remote_error_message: message, dialled_at: null });
        break;
      case 'refused':
      case 'misconfigured':
        await move('record_refused', { remote_error_message: message, refusal_code: result.code });
        break;
      case 'unknown':
        await move('record_unknown', { lease_token: null, check_at: secondsFromNow(FIRST_LOOKUP_DELAY), checks: 0 });
        break;
      default: {
        const pause = Math.min(MAX_DIAL_BACKOFF, 2 ** Math.min(call.refusals, 10)) * (0.5 + Math.random() / 2);
        await move('record_postponed', {
          lease_token: null,
          leased_until: null,
          postponed_until: outcome === 'barred' ? null : secondsFromNow(pause),
          dialled_at: null,
          refusals: sql`refusals + 1`,
        });
      }
    }
  }
}

/** @returns the refused calls, with their callouts */
function refusalsIn(dialed: readonly Dialed[]): { id: number; callout_id: number; refusal: Refusal }[] {
  return dialed.flatMap(({ call: { id, callout_id }, result }) =>
    result.outcome === 'refused' || result.outcome === 'misconfigured'
      ? [{ id, callout_id: callout_id!, refusal: result }]
      : [],
  );
}

/** The condition that no other call has the provider's id. A scalar subquery always finds the call by that id. */
const isIdFree = sql`(SELECT other.id FROM phone_calls AS other
  WHERE other.remote_call_id = input.remote_call_id AND other.id <> input.id) IS NULL`;

const acceptedColumns = {
  id: 'bigint',
  lease_token: 'text',
  status: 'text',
  remote_status: 'text',
  remote_direction: 'text',
  remote_call_id: 'text',
  answer: 'jsonb',
  call_flow_state: 'jsonb',
} as const;
type AcceptedRow = Record<keyof typeof acceptedColumns, unknown> & RemoteIdOwner;

/** @returns the values of an accepted call, unless a webhook arrived first */
function toAcceptedRow({ call: { id, lease_token, loaded }, result }: Dialed): AcceptedRow {
  const { call } = result as Extract<DialResult, { outcome: 'accepted' }>;
  const { sid, status: remote_status, direction: remote_direction = null } = call;
  const before = { status: 'queued', remote_status: null, sequence_number: null } as const;
  const status = statusAfter(before, { remoteStatus: remote_status }) ?? 'remotely_queued';
  const remote = { remote_status, remote_direction, remote_call_id: sid, answer: call };
  return { id, lease_token, status, ...remote, call_flow_state: { flow: loaded.callFlow.name } };
}
