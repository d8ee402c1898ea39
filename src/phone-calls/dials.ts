import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import sql, { type Sql, join, raw } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { Conversations, type ConversingCall, type Staged } from '../call-flows/conversations.js';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { Config } from '../config.js';
import { checked, given, json, now, nowMilliseconds, secondsFromNow } from '../database/dialect.js';
import { affectedBy, rowsOf } from '../database/statements.js';
import { Together } from '../database/together.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { type HandedOut, Paces, SLOT_TOLERANCE } from '../pace/paces.js';
import type { Placement } from '../telephony/provider.js';
import type { PhoneCall } from './phone-call.entity.js';
import { awaitedStatuses } from './phone-call.machine.js';
import { calloutsWithQueued, queuedOf } from './queued-calls.js';
import { statusAfter } from './remote-state.js';

/** Calls that one transaction hands out, claims or records, at the most. */
const MOST_AT_ONCE = 1_000;

/**
 * Calls that are handed out and wait to be claimed: as many as were claimed in time lately. Fewer once slots have lapsed, since what dials is
 * busy; more while none do.
 */
const FEWEST_WAITING = 50;
const FIRST_WAITING = 250;

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

/** `claimed_at` is milliseconds of the database's clock. */
type ClaimedRow = ConversingCall & Pick<PhoneCall, 'lease_token' | 'refusals'> & { claimed_at: number };

/** A call that is ours to dial, with what its flow is told. */
export type ClaimedCall = ClaimedRow & { staged: Staged };

/**
 * The life of a dial, as a row: handed out with its time, claimed with a token, recorded. Only a claimed row is dialled, and a claim that
 * is never recorded (its process was killed) makes the call uncertain: it is never dialled again by itself.
 */
@Injectable()
export class Dials {
  private readonly logger = new Logger('Dials');
  private mostWaiting = FIRST_WAITING;
  /** Slots that were over before their calls were claimed, since the last hand-out. */
  private lapsed = 0;
  /** The callout that was first when calls were handed out last. */
  private lastFirst = 0;
  private readonly claims = new Together((handed: { id: number; at: number }[]) => this.claimAll(handed), MOST_AT_ONCE);
  private readonly records = new Together((dialled: Dialled[]) => this.recordAll(dialled), MOST_AT_ONCE);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly paces: Paces,
    private readonly conversations: Conversations,
    private readonly config: Config,
  ) {}

  /**
   * Hands out calls of the callouts that may be dialled now, each callout in its turn, as many as the pace has room for. There may be more
   * for which there is room in a moment, when some of those that are handed out have been claimed.
   */
  async handOut(): Promise<{ calls: HandedOut[]; isMore: boolean }> {
    if (this.lapsed > 0) this.mostWaiting = Math.max(FEWEST_WAITING, Math.floor(this.mostWaiting / 2));
    this.lapsed = 0;
    return this.unitOfWork.run(async (manager) => {
      const most = this.mostWaiting - (await this.unclaimed(manager));
      const calls = most > 0 ? await this.handOutUpTo(most, manager) : [];
      const isMore = calls.length >= most;
      if (isMore && calls.length > 0) this.mostWaiting = Math.min(MOST_AT_ONCE, Math.ceil(this.mostWaiting * 1.1));
      return { calls, isMore };
    });
  }

  private async handOutUpTo(most: number, manager: EntityManager): Promise<HandedOut[]> {
    const pace = { perSecond: this.config.callsPerSecond, most: await this.room(manager, most) };
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
  }

  /** Calls that are handed out and were not claimed yet; without those that wait since they were refused. */
  private async unclaimed(manager: EntityManager): Promise<number> {
    const [row] = await rowsOf<{ count: number }>(
      manager,
      sql`SELECT count(*) AS count FROM phone_calls
        WHERE leased_until > ${now} AND ${checked('status')} = 'queued' AND lease_token IS NULL AND refusals = 0`,
    );
    return row?.count ?? 0;
  }

  /**
   * Claims a call that was handed out for `at`: it is about to be dialled, by nobody else. Undefined when it is not to be dialled any
   * more, or not now: its time is over, or its callout was paused or stopped meanwhile.
   */
  claim(id: number, at: number): Promise<ClaimedCall | undefined> {
    return this.claims.do({ id, at });
  }

  /** Records what became of a dial. A webhook that came before has moved the call on already, and is not undone. */
  record(call: ClaimedCall, placement: Placement): Promise<void> {
    return this.records.do({ call, placement });
  }

  /** All within one transaction, so that whatever fails before the dial gives the claims back. */
  private async claimAll(handed: { id: number; at: number }[]): Promise<(ClaimedCall | undefined)[]> {
    let claimedAt = 0;
    const calls = await this.unitOfWork.run(async (manager) => {
      const rows = await this.claimRows(manager, handed);
      claimedAt = performance.now();
      await this.giveBackLapsed(manager, handed, rows.length);
      const staged = await this.conversations.stageAll(manager, rows);
      return rows.map((row, index) => ({ ...row, staged: staged[index]! }));
    });
    const claimed = new Map(calls.map((call) => [call.id, call]));
    // Committing takes its time, too: what is sent late would be one too many in the provider's seconds.
    const elapsed = performance.now() - claimedAt;
    const late: ClaimedCall[] = [];
    const answers = handed.map(({ id, at }) => {
      const call = claimed.get(id);
      // Whoever asks for it a second time has not got it.
      claimed.delete(id);
      if (!call || call.claimed_at + elapsed - at <= SLOT_TOLERANCE) return call;
      late.push(call);
    });
    await this.giveBackUnsent(late);
    return answers;
  }

  private async claimRows(manager: EntityManager, handed: { id: number; at: number }[]): Promise<ClaimedRow[]> {
    const lease = this.config.providerTimeout + LEASE_MARGIN;
    const rows = await rowsOf<ClaimedRow>(
      manager,
      sql`UPDATE phone_calls SET lease_token = ${randomUUID()}, leased_until = ${secondsFromNow(lease)},
          dialled_at = ${now}, updated_at = ${now}
        FROM ${given('handed', { id: 'bigint', at: 'bigint' }, handed)}
        WHERE phone_calls.id = handed.id AND ${checked('phone_calls.status')} = 'queued' AND phone_calls.lease_token IS NULL
          AND phone_calls.leased_until > ${now} AND ${nowMilliseconds} - handed.at <= ${SLOT_TOLERANCE}
          AND (SELECT callouts.status FROM callouts WHERE callouts.id = phone_calls.callout_id) IN (${join(dialledStatuses)})
        RETURNING phone_calls.id, phone_calls.msisdn, phone_calls.metadata, phone_calls.contact_id,
          phone_calls.callout_participation_id, phone_calls.call_flow_logic, phone_calls.call_flow_state,
          phone_calls.remote_request_params, phone_calls.lease_token, phone_calls.refusals,
          ${nowMilliseconds} AS claimed_at`,
    );
    return rows.map((row) => ({
      ...row,
      metadata: json(row.metadata),
      call_flow_state: json(row.call_flow_state),
      remote_request_params: json(row.remote_request_params),
    }));
  }

  /** A call whose slot is over before it was claimed can be handed out again at once. */
  private async giveBackLapsed(manager: EntityManager, handed: { id: number }[], claimed: number): Promise<void> {
    if (claimed === handed.length) return;
    this.lapsed += await affectedBy(
      manager,
      sql`UPDATE phone_calls SET leased_until = NULL FROM ${given('handed', { id: 'bigint' }, handed)}
        WHERE phone_calls.id = handed.id AND ${checked('phone_calls.status')} = 'queued' AND phone_calls.lease_token IS NULL`,
    );
  }

  /** Nobody was told of these calls: they can be handed out again at once. Should that fail, they will be looked for as if they had been sent. */
  private async giveBackUnsent(calls: ClaimedRow[]): Promise<void> {
    if (calls.length === 0) return;
    const claims = calls.map(({ id, lease_token }) => ({ id, lease_token }));
    try {
      this.lapsed += await this.unitOfWork.run((manager) =>
        affectedBy(
          manager,
          sql`UPDATE phone_calls SET lease_token = NULL, leased_until = NULL
            FROM ${given('claims', { id: 'bigint', lease_token: 'text' }, claims)}
            WHERE phone_calls.id = claims.id AND phone_calls.lease_token = claims.lease_token
              AND ${checked('phone_calls.status')} = 'queued'`,
        ),
      );
    } catch (error) {
      this.logger.warn(`${calls.length} calls could not be given back unsent: ${(error as Error).message}`);
    }
  }

  private async recordAll(dialled: Dialled[]): Promise<void[]> {
    await this.unitOfWork.run(async (manager) => {
      await this.accept(manager, dialled.flatMap(acceptedOf));
      for (const { call, placement } of dialled) {
        if (placement.outcome !== 'accepted') await this.turnDown(manager, call, placement);
      }
    });
    return dialled.map(() => undefined);
  }

  private async turnDown(
    manager: EntityManager,
    call: ClaimedCall,
    placement: Exclude<Placement, { outcome: 'accepted' }>,
  ): Promise<void> {
    const ours = sql`id = ${call.id} AND lease_token = ${call.lease_token} AND status IN ('queued', 'uncertain')`;
    const free = sql`lease_token = NULL, updated_at = ${now}`;
    if (placement.outcome === 'refused') {
      await rowsOf(
        manager,
        sql`UPDATE phone_calls SET status = 'errored', remote_error_message = ${placement.message}, check_at = NULL,
          leased_until = NULL, ${free} WHERE ${ours}`,
      );
    } else if (placement.outcome === 'unknown') {
      await rowsOf(
        manager,
        sql`UPDATE phone_calls SET status = 'uncertain', check_at = ${secondsFromNow(FIRST_LOOK)}, ${free} WHERE ${ours}`,
      );
    } else {
      const pause = Math.min(LONGEST_BACK_OFF, 2 ** Math.min(call.refusals, 10)) * (0.5 + Math.random() / 2);
      await rowsOf(
        manager,
        sql`UPDATE phone_calls SET status = 'queued', refusals = refusals + 1, check_at = NULL,
          leased_until = ${secondsFromNow(placement.outcome === 'postponed' ? pause : 0)}, ${free} WHERE ${ours}`,
      );
    }
  }

  /** A dial whose process was lost may have reached the provider: nobody knows. Answers how many there were. */
  loseExpired(): Promise<number> {
    return this.unitOfWork.run((manager) =>
      affectedBy(
        manager,
        sql`UPDATE phone_calls SET status = 'uncertain', check_at = ${now}, updated_at = ${now}
          WHERE leased_until < ${now} AND ${checked('status')} = 'queued' AND lease_token IS NOT NULL`,
      ),
    );
  }

  /** Takes back calls of callouts that were stopped; true when there may be more. */
  async cancelStopped(): Promise<boolean> {
    return this.unitOfWork.run(async (manager) => {
      const unclaimed = sql`phone_calls.lease_token IS NULL`;
      const callouts = await calloutsWithQueued(manager, unclaimed, ['stopped']);
      const ids = await queuedOf(manager, callouts, unclaimed, CANCELED_AT_ONCE);
      if (ids.length > 0) {
        await rowsOf(
          manager,
          sql`UPDATE phone_calls SET status = 'canceled', leased_until = NULL, updated_at = ${now} WHERE id IN (${join(ids)})`,
        );
      }
      return ids.length === CANCELED_AT_ONCE;
    });
  }

  /**
   * A webhook that came before the answer has moved its call on already: then only what the provider answered is kept. An answer that comes
   * when the call was given up is the truth all the same.
   */
  private async accept(manager: EntityManager, accepted: Accepted[]): Promise<void> {
    if (accepted.length === 0) return;
    const told = given('told', acceptedColumns, accepted);
    const givenUp = sql`(phone_calls.status = 'errored' AND phone_calls.remote_call_id IS NULL)`;
    const unlessHeard = (column: string, value: Sql): Sql =>
      sql`${raw(column)} = CASE WHEN phone_calls.status IN ('queued', 'uncertain') OR ${givenUp} THEN ${value}
        ELSE phone_calls.${raw(column)} END`;
    await rowsOf(
      manager,
      sql`UPDATE phone_calls SET ${unlessHeard('status', sql`told.status`)},
          ${unlessHeard('remote_status', sql`told.remote_status`)},
          ${unlessHeard('remote_direction', sql`told.remote_direction`)},
          ${unlessHeard('check_at', secondsFromNow(this.config.reconcileAfter))}, ${unlessHeard('checks', sql`0`)},
          remote_call_id = told.remote_call_id, remote_error_message = NULL, remote_queue_response = told.answer,
          call_flow_state = coalesce(phone_calls.call_flow_state, told.call_flow_state),
          remotely_queued_at = coalesce(phone_calls.remotely_queued_at, phone_calls.dialled_at),
          lease_token = NULL, leased_until = NULL, updated_at = ${now}
        FROM ${told} WHERE phone_calls.id = told.id
          AND (phone_calls.lease_token = told.lease_token OR phone_calls.lease_token IS NULL AND ${givenUp})`,
    );
    await this.paces.clear(manager, 'dial');
  }

  /** How many more calls may be at the provider, or on their way to it. */
  private async room(manager: EntityManager, most: number): Promise<number> {
    const { maxCallsInFlight } = this.config;
    if (maxCallsInFlight === undefined) return most;
    const [row] = await rowsOf<{ count: number }>(
      manager,
      sql`SELECT count(*) AS count FROM phone_calls
        WHERE check_at IS NOT NULL AND status IN (${join([...awaitedStatuses])})
          OR leased_until > ${now} AND ${checked('status')} = 'queued'`,
    );
    return Math.max(0, Math.min(most, maxCallsInFlight - (row?.count ?? 0)));
  }

  /**
   * Calls that may be dialled now, an equal share of each callout. Another callout is the first each time: at a slow pace, there may be
   * room for the calls of one only.
   */
  private async waiting(manager: EntityManager, count: number): Promise<number[]> {
    const due = sql`phone_calls.lease_token IS NULL AND (phone_calls.leased_until IS NULL OR phone_calls.leased_until < ${now})`;
    const callouts = await calloutsWithQueued(manager, due, dialledStatuses);
    const inTurn = [...callouts.filter((id) => id > this.lastFirst), ...callouts.filter((id) => id <= this.lastFirst)];
    this.lastFirst = inTurn[0] ?? 0;
    return queuedOf(manager, inTurn, due, count, { evenly: true });
  }
}

/** A callout that is paused holds its calls back, and one that is stopped has none left. */
const dialledStatuses: CalloutStatus[] = ['initialized', 'running'];

/** What became of a dial. */
interface Dialled {
  call: ClaimedCall;
  placement: Placement;
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

/** A call that the provider has, as its row is to show it if nothing was heard of it before. */
function acceptedOf({ call: { id, lease_token, staged }, placement }: Dialled): Accepted[] {
  if (placement.outcome !== 'accepted') return [];
  const { sid, status: remote_status, direction: remote_direction = null } = placement.call;
  const unheard = { status: 'queued', remote_status: null, sequence_number: null } as const;
  const status = statusAfter(unheard, { remoteStatus: remote_status }) ?? 'remotely_queued';
  const remote = { remote_status, remote_direction, remote_call_id: sid, answer: placement.call };
  return [{ id, lease_token, status, ...remote, call_flow_state: { flow: staged.callFlow.name } }];
}
