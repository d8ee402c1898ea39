import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { CallFlowRunner, type CallWebhook, type StepResult } from '../call-flows/call-flow-runner.js';
import { persistWrites } from '../call-flows/persist-writes.js';
import { Config } from '../config/config.js';
import { recordset, isPostgres, secondsFromNow } from '../database/dialect.js';
import { Batcher } from '../database/batcher.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { UnusableWebhookError } from '../errors/errors.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { setClause } from '../phone-calls/phone-call-transitions.js';
import { type KnownId, releaseGuessedIds } from '../phone-calls/remote-call-ids.js';
import { type RemoteStanding, standingAfter } from '../phone-calls/remote-state.js';
import { type WebhookCall, WebhookCalls, ownIdIn } from './webhook-calls.js';
import { InboundCalls } from './inbound-calls.js';

/** Webhooks that are taken in by one transaction, at the most. */
const MOST_AT_ONCE = 100;

/** Such transactions at the same time, where the database can. */
const LANES = isPostgres ? 2 : 1;

/** A webhook that is to be taken in. */
export interface ProviderWebhook extends CallWebhook {
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
interface WebhookWithCall {
  hearing: ProviderWebhook;
  call: WebhookCall;
}

/**
 * Takes webhooks in, those of one moment in one transaction: each is stored once, its call moved on, and its call flow asked for what is to be
 * said, with the rows of the calls held.
 */
@Injectable()
export class WebhookProcessor {
  private readonly together = new Batcher(
    (hearings: ProviderWebhook[]) => this.processAll(hearings),
    MOST_AT_ONCE,
    LANES,
  );

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly heardCalls: WebhookCalls,
    private readonly inboundCalls: InboundCalls,
    private readonly callFlowRunner: CallFlowRunner,
    private readonly config: Config,
  ) {}

  /**
   * Takes one webhook in. A repeated delivery changes nothing, and gets the same answer.
   * @throws UnusableWebhookError
   */
  async process(hearing: ProviderWebhook): Promise<Stored> {
    const heard = await this.together.add(hearing);
    if (heard instanceof UnusableWebhookError) throw heard;
    return heard;
  }

  /** What cannot be used is told apart, so that it does not undo the others. */
  private processAll(hearings: ProviderWebhook[]): Promise<(Stored | UnusableWebhookError)[]> {
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

  private async mattersOf(transaction: Transaction, hearings: ProviderWebhook[]) {
    const sids = hearings.map(({ sid }) => sid);
    const ownIds = hearings.flatMap(({ query }) => ownIdIn(query) ?? []);
    const calls = await this.heardCalls.lockCallsFor(transaction, sids, ownIds);
    const matters: WebhookWithCall[] = [];
    const corrected: KnownId[] = [];
    const unusable = new Map<ProviderWebhook, UnusableWebhookError>();
    // In one order in every process, since new calls and their contacts are locked as they are made.
    for (const hearing of hearings.toSorted((one, other) => (one.sid < other.sid ? -1 : Number(one.sid > other.sid)))) {
      const { sid, details, query } = hearing;
      let call = WebhookCalls.find(calls, sid, ownIdIn(query));
      if (!call && details.Direction === 'inbound') {
        call = await this.inboundCalls.findOrCreate(transaction, sid, hearing);
        calls.push(call);
      } else if (!call) unusable.set(hearing, new UnusableWebhookError(`Call ${sid} is not known`));
      if (!call) continue;
      if (call.remote_call_id !== sid) {
        corrected.push({ id: call.id, remote_call_id: sid });
        for (const other of calls) {
          if (other.remote_call_id === sid) Object.assign(other, { remote_call_id: null, status: 'uncertain' });
        }
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
        JOIN ${recordset(
          'told',
          { delivery: 'text' },
          deliveries.map((delivery) => ({ delivery })),
        )} ON told.delivery = events.delivery`);
    return new Map(rows.map(({ id, twiml, delivery }) => [delivery, { id, twiml }]));
  }

  /** Stores what was heard of different calls, moves the calls on, and adds what each is answered to `stored`. */
  private async takeIn(
    transaction: Transaction,
    matters: WebhookWithCall[],
    stored: Map<string, Stored>,
  ): Promise<void> {
    if (matters.length === 0) return;
    const loaded = await this.callFlowRunner.loadContexts(
      transaction,
      matters.map(({ call }) => call),
    );
    const results = matters.map(({ hearing, call }, index) =>
      this.callFlowRunner.runStep(loaded[index]!, call, hearing),
    );
    const rows = await this.store(transaction, matters, results);
    for (const { delivery, id, twiml } of rows) stored.set(delivery, { id, twiml });
    const moved = matters.map(({ hearing, call }, index) => movedOn(call, hearing, results[index]!));
    await this.moveOn(transaction, moved);
    await persistWrites(transaction, results);
  }

  private store(transaction: Transaction, matters: WebhookWithCall[], results: StepResult[]) {
    const events = matters.map(({ hearing: { sid, details, delivery }, call }, index) => ({
      phone_call_id: call.id,
      details,
      remote_call_id: sid,
      remote_direction: directionOf(details) ?? call.remote_direction,
      call_flow_logic: results[index]!.callFlow.name,
      delivery,
      twiml: results[index]!.twiml,
    }));
    return transaction.query<Stored & { delivery: string }>(sql`INSERT INTO remote_phone_call_events
          (phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml)
        SELECT phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml
        FROM ${recordset('told', eventColumns, events)}
        RETURNING id, twiml, delivery`);
  }

  private async moveOn(transaction: Transaction, moved: Moved[]): Promise<void> {
    const changes = setClause(
      'webhook',
      {
        remote_call_id: sql`input.remote_call_id`,
        remote_status: sql`input.remote_status`,
        remotely_queued_at: sql`coalesce(phone_calls.remotely_queued_at, phone_calls.dialled_at)`,
        sequence_number: sql`input.sequence_number`,
        check_at: secondsFromNow(this.config.reconcileAfter),
        checks: 0,
      },
      sql`input.status`,
    );
    await transaction.query(sql`UPDATE phone_calls SET ${changes}, remote_direction = input.remote_direction,
          call_flow_state = input.call_flow_state, metadata = input.metadata
        FROM ${recordset('input', movedColumns, moved)} WHERE phone_calls.id = input.id`);
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
} as const;
type Moved = Record<keyof typeof movedColumns, unknown>;

/**
 * Moves a call on by a webhook, and returns what its row shows from now on. A webhook proves that the provider has the call: one that was
 * uncertain, or given up without the provider's id, is there after all.
 */
function movedOn(call: WebhookCall, { details, sid }: ProviderWebhook, { state, metadata }: StepResult): Moved {
  const remoteStatus = typeof details.CallStatus === 'string' ? details.CallStatus : undefined;
  const sequence = sequenceOf(details);
  const assumed = [
    'created',
    'queued',
    'uncertain',
    ...(call.remote_call_id === null ? ['errored' as const] : []),
  ] as const;
  // What is known of another call of the provider's says nothing about this one.
  const known: RemoteStanding =
    call.remote_call_id === sid
      ? call
      : {
          status: call.remote_call_id === null ? call.status : 'uncertain',
          remote_status: null,
          sequence_number: null,
        };
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
  };
}

function directionOf({ Direction }: Metadata): string | undefined {
  return typeof Direction === 'string' ? Direction : undefined;
}

/** Twilio counts the callbacks of a call from 0. */
function sequenceOf({ SequenceNumber }: Metadata): number | undefined {
  return /^\d{1,9}$/.test(textOf(SequenceNumber) ?? '') ? Number(SequenceNumber) : undefined;
}
