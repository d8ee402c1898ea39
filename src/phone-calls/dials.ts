import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import sql, { type Sql, join } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { Config } from '../config.js';
import { locking, now, nowMilliseconds, secondsFromNow } from '../database/dialect.js';
import { locked } from '../database/rows.js';
import { affectedBy, rowsOf } from '../database/statements.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type HandedOut, Paces, SLOT_TOLERANCE } from '../pace/paces.js';
import type { Placement, RemoteCall } from '../telephony/provider.js';
import { PhoneCall } from './phone-call.entity.js';
import { awaitedStatuses } from './phone-call.machine.js';
import { statusAfter } from './remote-state.js';

/** Calls that are handed out at once, at the most. */
const MOST_AT_ONCE = 250;

/** Seconds after which a call that was handed out and that nobody claimed can be handed out again. */
const HANDED_FOR = 3;

/** Seconds that a dial may take beyond the provider's time limit, before it counts as lost. */
const LEASE_MARGIN = 5;

/** Calls of stopped callouts that one transaction takes back. */
const CANCELED_AT_ONCE = 2_000;

/** Seconds after which an uncertain call is first looked for. */
const FIRST_LOOK = 2;

/** The longest that a call waits after it was refused without being acted on, in seconds. */
const LONGEST_BACK_OFF = 60;

/**
 * The life of a dial, as a row: handed out with its time, claimed with a token, recorded. Only a claimed row is dialled, and a claim that
 * is never recorded (its process was killed) makes the call uncertain: it is never dialled again by itself.
 */
@Injectable()
export class Dials {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly paces: Paces,
    private readonly config: Config,
  ) {}

  /** Hands out calls of the callouts that may be dialled now, each callout in its turn, as many as the pace has room for. */
  handOut(): Promise<HandedOut[]> {
    return this.unitOfWork.run(async (manager) => {
      const pace = { perSecond: this.config.callsPerSecond, most: await this.room(manager) };
      return this.paces.handOut(manager, 'dial', pace, async (count) => {
        const ids = await this.waiting(manager, count);
        if (ids.length > 0) {
          await rowsOf(
            manager,
            sql`UPDATE phone_calls SET leased_until = ${secondsFromNow(HANDED_FOR)} WHERE id IN (${join(ids)})`,
          );
        }
        return ids;
      });
    });
  }

  /**
   * Claims a call that was handed out for `at`: it is about to be dialled, by nobody else. Undefined when it is not to be dialled any
   * more, or not now: its time is over, or its callout was paused or stopped meanwhile.
   */
  claim(id: number, at: number): Promise<PhoneCall | undefined> {
    return this.unitOfWork.run(async (manager) => {
      const lease = this.config.providerTimeout + LEASE_MARGIN;
      const claimed = await affectedBy(
        manager,
        sql`UPDATE phone_calls SET lease_token = ${randomUUID()}, leased_until = ${secondsFromNow(lease)},
            dialled_at = ${now}, updated_at = ${now}
          WHERE id = ${id} AND status = 'queued' AND lease_token IS NULL AND leased_until > ${now}
            AND ${nowMilliseconds} - ${at} <= ${SLOT_TOLERANCE}
            AND callout_id IN (SELECT id FROM callouts WHERE ${mayBeDialled})`,
      );
      return claimed === 1 ? manager.findOneByOrFail(PhoneCall, { id }) : undefined;
    });
  }

  /** Records what became of a dial. A webhook that came before has moved the call on already, and is not undone. */
  async record(call: PhoneCall, placement: Placement): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const ours = sql`id = ${call.id} AND lease_token = ${call.lease_token}`;
      const stillOpen = sql`status IN ('queued', 'uncertain')`;
      const free = sql`lease_token = NULL, updated_at = ${now}`;
      if (placement.outcome === 'accepted') {
        await this.accept(manager, call, placement.call);
      } else if (placement.outcome === 'refused') {
        await rowsOf(
          manager,
          sql`UPDATE phone_calls SET status = 'errored', remote_error_message = ${placement.message}, check_at = NULL,
            leased_until = NULL, ${free} WHERE ${ours} AND ${stillOpen}`,
        );
      } else if (placement.outcome === 'unknown') {
        await rowsOf(
          manager,
          sql`UPDATE phone_calls SET status = 'uncertain', check_at = ${secondsFromNow(FIRST_LOOK)}, ${free}
            WHERE ${ours} AND ${stillOpen}`,
        );
      } else {
        const pause = Math.min(LONGEST_BACK_OFF, 2 ** Math.min(call.refusals, 10)) * (0.5 + Math.random() / 2);
        await rowsOf(
          manager,
          sql`UPDATE phone_calls SET status = 'queued', refusals = refusals + 1, check_at = NULL,
            leased_until = ${secondsFromNow(placement.outcome === 'postponed' ? pause : 0)}, ${free}
            WHERE ${ours} AND ${stillOpen}`,
        );
      }
    });
  }

  /** A dial whose process was lost may have reached the provider: nobody knows. Answers how many there were. */
  loseExpired(): Promise<number> {
    return this.unitOfWork.run((manager) =>
      affectedBy(
        manager,
        sql`UPDATE phone_calls SET status = 'uncertain', check_at = ${now}, updated_at = ${now}
          WHERE status = 'queued' AND lease_token IS NOT NULL AND leased_until < ${now}`,
      ),
    );
  }

  /** Takes back calls of callouts that were stopped; true when there may be more. */
  async cancelStopped(): Promise<boolean> {
    const canceled = await this.unitOfWork.run((manager) =>
      affectedBy(
        manager,
        sql`UPDATE phone_calls SET status = 'canceled', leased_until = NULL, updated_at = ${now}
          WHERE id IN (
            SELECT phone_calls.id FROM callouts JOIN phone_calls ON phone_calls.callout_id = callouts.id
            WHERE callouts.status = 'stopped' AND phone_calls.status = 'queued' AND phone_calls.lease_token IS NULL
            LIMIT ${CANCELED_AT_ONCE}
          ) AND status = 'queued' AND lease_token IS NULL`,
      ),
    );
    return canceled === CANCELED_AT_ONCE;
  }

  private async accept(manager: EntityManager, call: PhoneCall, remote: RemoteCall): Promise<void> {
    const current = await locked(manager, PhoneCall, call.id);
    if (current.lease_token !== call.lease_token) return;
    const assumed = current.status === 'queued' || current.status === 'uncertain';
    const status = statusAfter(current, { remoteStatus: remote.status }) ?? 'remotely_queued';
    const standing = assumed
      ? sql`status = ${status}, remote_status = ${remote.status}, remote_direction = ${remote.direction ?? null},
          check_at = ${secondsFromNow(this.config.reconcileAfter)}, checks = 0,`
      : sql``;
    await rowsOf(
      manager,
      sql`UPDATE phone_calls SET ${standing} remote_call_id = ${remote.sid}, remote_error_message = NULL,
          remote_queue_response = ${JSON.stringify(remote)}, remotely_queued_at = coalesce(remotely_queued_at, dialled_at),
          lease_token = NULL, leased_until = NULL, updated_at = ${now}
        WHERE id = ${call.id}`,
    );
    await this.paces.clear(manager, 'dial');
  }

  /** How many more calls may be at the provider, or on their way to it. */
  private async room(manager: EntityManager): Promise<number> {
    const { maxCallsInFlight } = this.config;
    if (maxCallsInFlight === undefined) return MOST_AT_ONCE;
    const [row] = await rowsOf<{ count: number }>(
      manager,
      sql`SELECT count(*) AS count FROM phone_calls
        WHERE check_at IS NOT NULL AND status IN (${join([...awaitedStatuses])})
          OR status = 'queued' AND leased_until > ${now}`,
    );
    return Math.max(0, Math.min(MOST_AT_ONCE, maxCallsInFlight - (row?.count ?? 0)));
  }

  private async waiting(manager: EntityManager, count: number): Promise<number[]> {
    const due = sql`phone_calls.status = 'queued' AND phone_calls.lease_token IS NULL
      AND (phone_calls.leased_until IS NULL OR phone_calls.leased_until < ${now})`;
    const callouts = await rowsOf<{ id: number }>(
      manager,
      sql`SELECT id FROM callouts WHERE ${mayBeDialled}
        AND EXISTS (SELECT 1 FROM phone_calls WHERE phone_calls.callout_id = callouts.id AND ${due})`,
    );
    const share = Math.max(1, Math.ceil(count / Math.max(1, callouts.length)));
    const ids: number[] = [];
    for (const { id } of callouts) {
      const most = Math.min(share, count - ids.length);
      if (most <= 0) break;
      const rows = await rowsOf<{ id: number }>(
        manager,
        sql`SELECT id FROM phone_calls WHERE callout_id = ${id} AND ${due} ORDER BY id LIMIT ${most}
          ${locking('FOR UPDATE SKIP LOCKED')}`,
      );
      ids.push(...rows.map((row) => row.id));
    }
    return ids;
  }
}

/** A callout that is paused holds its calls back, and one that is stopped has none left. */
const mayBeDialled: Sql = sql`callouts.status IN ('initialized', 'running')`;
