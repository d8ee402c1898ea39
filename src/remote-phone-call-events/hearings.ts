import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { Conversations, type Heard, type Turn } from '../call-flows/conversations.js';
import { Config } from '../config.js';
import { given, isPostgres, now, secondsFromNow } from '../database/dialect.js';
import { Together } from '../database/together.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { UnusableWebhook } from '../http/errors.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { awaitedStatuses } from '../phone-calls/phone-call.machine.js';
import { type KnownId, releaseGuessedIds } from '../phone-calls/remote-call-ids.js';
import { standingAfter } from '../phone-calls/remote-state.js';
import { type HeardCall, HeardCalls, ownIdIn } from './heard-calls.js';
import { InboundCalls } from './inbound-calls.js';

/** Webhooks that are taken in by one transaction, at the most. */
const MOST_AT_ONCE = 100;

/** Such transactions at the same time, where the database can. */
const LANES = isPostgres ? 2 : 1;

/** A webhook that is to be taken in. */
export interface Hearing extends Heard {
  sid: string;
  /** The same for each delivery of one event. */
  delivery: string;
}

/** What was stored of a webhook, and what it is answered. */
export interface Stored {
  id: number;
  twiml: string;
}

/** One webhook with its call. */
interface Matter {
  hearing: Hearing;
  call: HeardCall;
}

/**
 * Takes webhooks in, those of one moment in one transaction: each is stored once, its call moved on, and its call flow asked for what is to be
 * said, with the rows of the calls held.
 */
@Injectable()
export class Hearings {
  private readonly together = new Together((hearings: Hearing[]) => this.hearAll(hearings), MOST_AT_ONCE, LANES);

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly heardCalls: HeardCalls,
    private readonly inboundCalls: InboundCalls,
    private readonly conversations: Conversations,
    private readonly config: Config,
  ) {}

  /**
   * Takes one webhook in. A repeated delivery changes nothing, and gets the same answer.
   * @throws UnusableWebhook
   */
  async hear(hearing: Hearing): Promise<Stored> {
    const heard = await this.together.do(hearing);
    if (heard instanceof UnusableWebhook) throw heard;
    return heard;
  }

  /** What cannot be used is told apart, so that it does not undo the others. */
  private hearAll(hearings: Hearing[]): Promise<(Stored | UnusableWebhook)[]> {
    return this.unitOfWork.run(async (transaction) => {
      const { matters, unusable } = await this.mattersOf(transaction, hearings);
      const stored = await this.storedOf(
        transaction,
        hearings.map(({ delivery }) => delivery),
      );
      let open = matters;
      while (open.length > 0) {
        // A call hears one thing at a time, in the order in which they came.
        const calls = new Set<number>();
        const next = open.filter(({ call }) => !calls.has(call.id) && calls.add(call.id));
        open = open.filter((matter) => !next.includes(matter));
        await this.takeIn(
          transaction,
          next.filter(({ hearing }) => !stored.has(hearing.delivery)),
          stored,
        );
      }
      return hearings.map((hearing) => unusable.get(hearing) ?? stored.get(hearing.delivery)!);
    });
  }

  private async mattersOf(transaction: Transaction, hearings: Hearing[]) {
    const sids = hearings.map(({ sid }) => sid);
    const ownIds = hearings.flatMap(({ query }) => ownIdIn(query) ?? []);
    const calls = await this.heardCalls.lock(transaction, sids, ownIds);
    const matters: Matter[] = [];
    const corrected: KnownId[] = [];
    const unusable = new Map<Hearing, UnusableWebhook>();
    // In one order in every process, since new calls and their contacts are locked as they are made.
    for (const hearing of hearings.toSorted((one, other) => (one.sid < other.sid ? -1 : Number(one.sid > other.sid)))) {
      const { sid, details, query } = hearing;
      let call = HeardCalls.among(calls, sid, ownIdIn(query));
      if (!call && details.Direction === 'inbound') {
        call = await this.inboundCalls.take(transaction, sid, hearing);
        calls.push(call);
      } else if (!call) unusable.set(hearing, new UnusableWebhook(`Call ${sid} is not known`));
      if (!call) continue;
      if (call.remote_call_id !== sid) {
        corrected.push({ id: call.id, remote_call_id: sid });
        for (const other of calls) if (other.remote_call_id === sid) other.remote_call_id = null;
      }
      matters.push({ hearing, call });
    }
    await releaseGuessedIds(transaction, corrected);
    return { matters, unusable };
  }

  private async storedOf(transaction: Transaction, deliveries: string[]): Promise<Map<string, Stored>> {
    const rows = await transaction.query<
      Stored & { delivery: string }
    >(sql`SELECT events.id, events.twiml, events.delivery FROM remote_phone_call_events AS events
        JOIN ${given(
          'told',
          { delivery: 'text' },
          deliveries.map((delivery) => ({ delivery })),
        )} ON told.delivery = events.delivery`);
    return new Map(rows.map(({ id, twiml, delivery }) => [delivery, { id, twiml }]));
  }

  /** Stores what was heard of different calls, moves the calls on, and adds what each is answered to `stored`. */
  private async takeIn(transaction: Transaction, matters: Matter[], stored: Map<string, Stored>): Promise<void> {
    if (matters.length === 0) return;
    const staged = await this.conversations.stageAll(
      transaction,
      matters.map(({ call }) => call),
    );
    const turns = matters.map(({ hearing, call }, index) => this.conversations.hear(staged[index]!, call, hearing));
    const rows = await this.store(transaction, matters, turns);
    for (const { delivery, id, twiml } of rows) stored.set(delivery, { id, twiml });
    const moved = matters.map(({ hearing, call }, index) => movedOn(call, hearing, turns[index]!));
    await this.moveOn(transaction, moved);
    await this.conversations.keep(transaction, turns);
  }

  private store(transaction: Transaction, matters: Matter[], turns: Turn[]) {
    const events = matters.map(({ hearing: { sid, details, delivery }, call }, index) => ({
      phone_call_id: call.id,
      details,
      remote_call_id: sid,
      remote_direction: directionOf(details) ?? call.remote_direction,
      call_flow_logic: turns[index]!.callFlow.name,
      delivery,
      twiml: turns[index]!.twiml,
    }));
    return transaction.query<Stored & { delivery: string }>(sql`INSERT INTO remote_phone_call_events
          (phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml)
        SELECT phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml
        FROM ${given('told', eventColumns, events)}
        RETURNING id, twiml, delivery`);
  }

  private async moveOn(transaction: Transaction, moved: Moved[]): Promise<void> {
    await transaction.query(sql`UPDATE phone_calls SET status = told.status, remote_status = told.remote_status,
          remote_call_id = told.remote_call_id, remote_direction = told.remote_direction, remote_error_message = NULL,
          sequence_number = told.sequence_number, call_flow_state = told.call_flow_state, metadata = told.metadata,
          remotely_queued_at = coalesce(phone_calls.remotely_queued_at, phone_calls.dialled_at),
          check_at = CASE WHEN told.awaited = 1 THEN ${secondsFromNow(this.config.reconcileAfter)} END,
          checks = 0, updated_at = ${now}
        FROM ${given('told', movedColumns, moved)} WHERE phone_calls.id = told.id`);
  }
}

const eventColumns = {
  phone_call_id: 'bigint',
  details: 'jsonb',
  remote_call_id: 'text',
  remote_direction: 'text',
  call_flow_logic: 'text',
  delivery: 'text',
  twiml: 'text',
} as const;

const movedColumns = {
  id: 'bigint',
  status: 'text',
  remote_status: 'text',
  remote_call_id: 'text',
  remote_direction: 'text',
  sequence_number: 'bigint',
  call_flow_state: 'jsonb',
  metadata: 'jsonb',
  awaited: 'bigint',
} as const;
type Moved = Record<keyof typeof movedColumns, unknown>;

/**
 * Moves a call on by a webhook, and returns what its row shows from now on. A webhook proves that the provider has the call: one that was
 * uncertain, or given up without the provider's id, is there after all.
 */
function movedOn(call: HeardCall, { details, sid }: Hearing, { state, metadata }: Turn): Moved {
  const remoteStatus = typeof details.CallStatus === 'string' ? details.CallStatus : undefined;
  const sequence = sequenceOf(details);
  const assumed = [
    'created',
    'queued',
    'uncertain',
    ...(call.remote_call_id === null ? ['errored' as const] : []),
  ] as const;
  // What is known of another call of the provider's says nothing about this one.
  const known = call.remote_call_id === sid ? call : { ...call, remote_status: null, sequence_number: null };
  const news = standingAfter(known, { remoteStatus, sequence }, assumed);
  Object.assign(call, {
    remote_call_id: sid,
    status: news.status,
    remote_status: news.remoteStatus,
    remote_direction: call.remote_direction ?? directionOf(details) ?? null,
    sequence_number: Math.max(sequence ?? -1, known.sequence_number ?? -1),
    call_flow_state: state,
    metadata,
  });
  const { id, status, remote_status, remote_direction, sequence_number } = call;
  return {
    id,
    status,
    remote_status,
    remote_call_id: sid,
    remote_direction,
    sequence_number,
    call_flow_state: state,
    metadata,
    awaited: awaitedStatuses.some((one) => one === status) ? 1 : 0,
  };
}

function directionOf({ Direction }: Metadata): string | undefined {
  return typeof Direction === 'string' ? Direction : undefined;
}

/** Twilio counts the callbacks of a call from 0. */
function sequenceOf({ SequenceNumber }: Metadata): number | undefined {
  return /^\d{1,9}$/.test(textOf(SequenceNumber) ?? '') ? Number(SequenceNumber) : undefined;
}
