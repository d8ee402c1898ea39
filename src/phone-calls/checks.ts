import { Injectable } from '@nestjs/common';
import sql, { join } from 'sql-template-tag';
import { Conversations } from '../call-flows/conversations.js';
import { Config } from '../config.js';
import { locking, now, secondsFromNow } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
import { locked } from '../database/rows.js';
import { rowsOf, violatedUniqueIndex } from '../database/statements.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { type HandedOut, Paces } from '../pace/paces.js';
import type { RemoteCall } from '../telephony/provider.js';
import { PhoneCall } from './phone-call.entity.js';
import { awaitedStatuses } from './phone-call.machine.js';
import { standingAfter } from './remote-state.js';

/** Calls that are handed out at once, at the most. */
const MOST_AT_ONCE = 100;

/** Seconds for which a question is somebody's beyond the provider's time limit: it waits for its turn. After that it is asked again. */
const LEASE_MARGIN = 15;

/** The longest pause between two questions after one call, in seconds. */
const LONGEST_BACK_OFF = 3_600;

/** So often must the provider say that it knows no such call before it is believed. */
const UNKNOWN_BELIEVED_AFTER = 3;

/** A call of which something is to be heard, as far as the question after it needs it. */
export type AwaitedCall = Pick<PhoneCall, 'id' | 'status' | 'msisdn' | 'remote_call_id' | 'checks'> & {
  /** As the driver hands them over. */
  dialled_at: Date | string | null;
  created_at: Date | string;
};

/** The calls of which the provider must be asked what became of them, since nothing was heard of them for a while. */
@Injectable()
export class Checks {
  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reader: Reader,
    private readonly paces: Paces,
    private readonly conversations: Conversations,
    private readonly config: Config,
  ) {}

  /** Hands out the calls that are due to be asked after, as many as the pace of questions has room for. */
  handOut(): Promise<HandedOut[]> {
    const pace = { perSecond: this.config.fetchesPerSecond, most: MOST_AT_ONCE };
    return this.unitOfWork.run((manager) =>
      this.paces.handOut(manager, 'fetch', pace, async (count) => {
        const rows = await rowsOf<{ id: number }>(
          manager,
          sql`SELECT id FROM phone_calls WHERE check_at IS NOT NULL AND check_at <= ${now}
            ORDER BY check_at LIMIT ${count} ${locking('FOR UPDATE SKIP LOCKED')}`,
        );
        const ids = rows.map(({ id }) => id);
        if (ids.length > 0) {
          await rowsOf(
            manager,
            sql`UPDATE phone_calls SET check_at = ${secondsFromNow(this.config.providerTimeout + LEASE_MARGIN)}, checks = checks + 1 WHERE id IN (${join(ids)})`,
          );
        }
        return ids;
      }),
    );
  }

  /** The call, if there is still something to be asked about it. */
  async find(id: number): Promise<AwaitedCall | undefined> {
    return this.reader.row<AwaitedCall>(
      sql`SELECT id, status, msisdn, remote_call_id, dialled_at, created_at, checks FROM phone_calls
        WHERE id = ${id} AND status IN (${join([...awaitedStatuses])})`,
    );
  }

  /** Which of the provider's calls no phone call of ours is known to be. */
  async unclaimed(calls: RemoteCall[]): Promise<RemoteCall[]> {
    if (calls.length === 0) return [];
    const known = await this.reader.rows<{ remote_call_id: string }>(
      sql`SELECT remote_call_id FROM phone_calls WHERE remote_call_id IN (${join(calls.map(({ sid }) => sid))})`,
    );
    return calls.filter(({ sid }) => !known.some(({ remote_call_id }) => remote_call_id === sid));
  }

  /** Records what the provider says of the call. Another call of ours may have turned out to be this one: then nothing is recorded. */
  async learn(id: number, remote: RemoteCall): Promise<void> {
    await this.unitOfWork
      .run(async (manager) => {
        const call = await locked(manager, PhoneCall, id);
        const news = { remoteStatus: remote.status };
        const { status, remoteStatus, ended } = standingAfter(call, news, ['remote_fetch_queued', 'uncertain']);
        const [staged] = await this.conversations.stageAll(manager, [call]);
        const turn = this.conversations.learn(staged!, call, String(remote.answered_by ?? ''));
        await rowsOf(
          manager,
          sql`UPDATE phone_calls SET status = ${status}, remote_status = ${remoteStatus},
              metadata = ${JSON.stringify(turn.metadata)}, call_flow_state = ${JSON.stringify(turn.state)},
              remote_direction = coalesce(remote_direction, ${remote.direction ?? null}), remote_call_id = ${remote.sid},
              remote_response = ${JSON.stringify(remote)}, remote_error_message = NULL,
              remotely_queued_at = coalesce(remotely_queued_at, dialled_at),
              check_at = ${ended ? null : secondsFromNow(this.backOff(call))}, lease_token = NULL, leased_until = NULL,
              updated_at = ${now}
            WHERE id = ${id}`,
        );
        await this.conversations.keep(manager, turn);
      })
      .catch((error: unknown) => {
        if (violatedUniqueIndex(error) !== 'phone_calls_remote_call_id_key') throw error;
      });
  }

  /** Notes that nothing was learned, and when to ask again. */
  async learnNothing(call: AwaitedCall): Promise<void> {
    const status = call.status === 'remote_fetch_queued' ? sql`status = 'remotely_queued',` : sql``;
    await this.unitOfWork.run((manager) =>
      rowsOf(
        manager,
        sql`UPDATE phone_calls SET ${status} check_at = ${secondsFromNow(this.backOff(call))}, updated_at = ${now}
          WHERE id = ${call.id} AND status = ${call.status}`,
      ),
    );
  }

  /** Notes that the provider knows no such call: for a while that may be its delay, then it is the end. */
  async learnAbsence(call: AwaitedCall): Promise<void> {
    if (call.remote_call_id !== null) {
      if (call.checks < UNKNOWN_BELIEVED_AFTER) return this.learnNothing(call);
      return this.giveUp(call, 'The provider took the call, but does not know it any more.');
    }
    const { uncertainFor } = this.config;
    const waited = await this.reader.rows(
      sql`SELECT 1 FROM phone_calls WHERE id = ${call.id} AND dialled_at < ${secondsFromNow(-uncertainFor)}`,
    );
    if (waited.length === 0) return this.learnNothing(call);
    return this.giveUp(
      call,
      `It is not known whether the provider took the call: its answer was lost, and for ${uncertainFor} seconds neither a callback nor ` +
        'its list of calls told of it. It was not dialled again.',
    );
  }

  private async giveUp(call: AwaitedCall, message: string): Promise<void> {
    await this.unitOfWork.run((manager) =>
      rowsOf(
        manager,
        sql`UPDATE phone_calls SET status = 'errored', remote_error_message = ${message}, check_at = NULL,
            lease_token = NULL, leased_until = NULL, updated_at = ${now}
          WHERE id = ${call.id} AND status = ${call.status}`,
      ),
    );
  }

  /** Seconds until the next question after a call: growing, and never the same for two calls. */
  private backOff({ checks, status }: AwaitedCall): number {
    const first = status === 'uncertain' ? 2 : this.config.reconcileAfter;
    return Math.min(LONGEST_BACK_OFF, first * 2 ** Math.min(checks, 10)) * (0.75 + Math.random() / 2);
  }
}
