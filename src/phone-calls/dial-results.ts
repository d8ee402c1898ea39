import { Injectable } from '@nestjs/common';
import sql, { type Sql, raw } from 'sql-template-tag';
import { Config } from '../config.js';
import { given, now, secondsFromNow } from '../database/dialect.js';
import { Together } from '../database/together.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { Paces } from '../pace/paces.js';
import type { Placement } from '../telephony/provider.js';
import { CalloutTrials } from './callout-trials.js';
import type { ClaimedCall } from './dial-claims.js';
import { LONGEST_BACK_OFF } from './dialing-rules.js';
import { lockPhoneCalls } from './locks.js';
import { releaseGuessedIds } from './remote-call-ids.js';
import { statusAfter } from './remote-state.js';
import { MAX_CALLS_AT_ONCE } from './reservation-window.js';

/** Seconds after which an uncertain call is first looked up at the provider. */
const FIRST_LOOK = 2;

/** What came of a dial: the provider's answer, or that there was nothing to ask it for. */
export type DialResult = Placement | { outcome: 'unsendable'; message: string };

interface Dialed {
  call: ClaimedCall;
  result: DialResult;
}

/** Records what came of dials. A webhook that arrived first has moved the call on already, and is never undone. */
@Injectable()
export class DialResults {
  private readonly batches = new Together((dialed: Dialed[]) => this.recordAll(dialed), MAX_CALLS_AT_ONCE);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly paces: Paces,
    private readonly trials: CalloutTrials,
    private readonly config: Config,
  ) {}

  record(call: ClaimedCall, result: DialResult): Promise<void> {
    return this.batches.do({ call, result });
  }

  private async recordAll(dialed: Dialed[]): Promise<void[]> {
    await this.unitOfWork.run(async (transaction) => {
      await lockPhoneCalls(
        transaction,
        dialed.map(({ call }) => call.id),
      );
      const accepted = dialed.filter(({ result }) => result.outcome === 'accepted');
      await this.recordAccepted(transaction, accepted.map(acceptedRow));
      // The provider takes calls of these callouts, or may have: their settings are not at fault.
      const tried = dialed.filter(
        ({ call, result }) => call.on_trial && ['accepted', 'unknown'].includes(result.outcome),
      );
      await this.trials.pass(transaction, new Set(tried.map(({ call }) => call.callout_id!)));
      for (const { call, result } of dialed) {
        if (result.outcome !== 'accepted') await this.recordOther(transaction, call, result);
      }
    });
    return dialed.map(() => undefined);
  }

  /**
   * A webhook that arrived before the answer has moved its call on: then only the answer itself is stored. An answer that arrives after the
   * call was given up is the truth all the same.
   */
  private async recordAccepted(transaction: Transaction, accepted: Accepted[]): Promise<void> {
    if (accepted.length === 0) return;
    const told = given('told', acceptedColumns, accepted);
    const givenUp = sql`(phone_calls.status = 'errored' AND phone_calls.remote_call_id IS NULL)`;
    const unlessMoved = (column: string, value: Sql): Sql =>
      sql`${raw(column)} = CASE WHEN phone_calls.status IN ('queued', 'uncertain') OR ${givenUp} THEN ${value}
        ELSE phone_calls.${raw(column)} END`;
    await releaseGuessedIds(transaction, accepted as { id: number; remote_call_id: string }[]);
    await transaction.query(sql`UPDATE phone_calls SET ${unlessMoved('status', sql`told.status`)},
          ${unlessMoved('remote_status', sql`told.remote_status`)},
          ${unlessMoved('remote_direction', sql`told.remote_direction`)},
          ${unlessMoved('check_at', secondsFromNow(this.config.reconcileAfter))}, ${unlessMoved('checks', sql`0`)},
          remote_call_id = told.remote_call_id, remote_error_message = NULL, remote_queue_response = told.answer,
          call_flow_state = coalesce(phone_calls.call_flow_state, told.call_flow_state),
          remotely_queued_at = coalesce(phone_calls.remotely_queued_at, phone_calls.dialled_at),
          lease_token = NULL, leased_until = NULL, updated_at = ${now}
        FROM ${told} WHERE phone_calls.id = told.id
          AND (phone_calls.lease_token = told.lease_token OR phone_calls.lease_token IS NULL AND ${givenUp})`);
    await this.paces.clear(transaction, 'dial');
  }

  private async recordOther(
    transaction: Transaction,
    call: ClaimedCall,
    result: Exclude<DialResult, { outcome: 'accepted' }>,
  ): Promise<void> {
    const update = (changes: Sql): Promise<unknown> =>
      transaction.query(sql`UPDATE phone_calls SET ${changes}, lease_token = NULL, updated_at = ${now}
          WHERE id = ${call.id} AND lease_token = ${call.lease_token} AND status IN ('queued', 'uncertain')`);
    const { outcome, message } = result;
    switch (outcome) {
      case 'unsendable':
        await update(sql`status = 'errored', remote_error_message = ${message}, dialled_at = NULL, check_at = NULL,
          leased_until = NULL`);
        break;
      case 'refused':
      case 'misconfigured':
        await update(sql`status = 'errored', remote_error_message = ${message}, refusal_code = ${result.code},
          check_at = NULL, leased_until = NULL`);
        await this.trials.refuse(transaction, call, result);
        break;
      case 'unknown':
        await update(
          sql`status = 'uncertain', check_at = ${secondsFromNow(FIRST_LOOK)}, checks = 0, leased_until = NULL`,
        );
        break;
      default: {
        const pause = Math.min(LONGEST_BACK_OFF, 2 ** Math.min(call.refusals, 10)) * (0.5 + Math.random() / 2);
        const wait = outcome === 'barred' ? sql`NULL` : secondsFromNow(pause);
        await update(sql`status = 'queued', refusals = refusals + 1, dialled_at = NULL, check_at = NULL,
          leased_until = ${wait}`);
      }
    }
  }
}

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
type Accepted = Record<keyof typeof acceptedColumns, unknown>;

/** A call that the provider has, as its row shows it unless a webhook arrived first. */
function acceptedRow({ call: { id, lease_token, staged }, result }: Dialed): Accepted {
  const { call } = result as Extract<DialResult, { outcome: 'accepted' }>;
  const { sid, status: remote_status, direction: remote_direction = null } = call;
  const before = { status: 'queued', remote_status: null, sequence_number: null } as const;
  const status = statusAfter(before, { remoteStatus: remote_status }) ?? 'remotely_queued';
  const remote = { remote_status, remote_direction, remote_call_id: sid, answer: call };
  return { id, lease_token, status, ...remote, call_flow_state: { flow: staged.callFlow.name } };
}
