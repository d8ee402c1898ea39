import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import sql from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { Conversations, type Heard, type Turn } from '../call-flows/conversations.js';
import { Config } from '../config.js';
import { now, secondsFromNow } from '../database/dialect.js';
import { lockedBy } from '../database/rows.js';
import { affectedBy, rowsOf } from '../database/statements.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { Forged, UnusableWebhook } from '../http/errors.js';
import { OwnAddress } from '../http/own-address.js';
import { XmlAnswer } from '../http/xml-answer.js';
import type { Metadata } from '../metadata/metadata.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { standingAfter } from '../phone-calls/remote-state.js';
import { InboundCalls } from './inbound-calls.js';
import { type RawWebhook, isSigned, parametersOf } from './webhook.js';

/** What was stored of a webhook, and what it is answered. */
interface Stored {
  id: number;
  twiml: string;
}

/** What the provider tells us, in one transaction: stored once, the call moved on, the call flow asked for its TwiML. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly inboundCalls: InboundCalls,
    private readonly conversations: Conversations,
    private readonly address: OwnAddress,
    private readonly config: Config,
  ) {}

  /**
   * Answers a webhook as it came in with the TwiML that is to be performed.
   * @throws Forged when no account of ours has signed it: nothing is stored
   * @throws UnusableWebhook
   * @throws Unreadable
   */
  async answer(webhook: RawWebhook): Promise<XmlAnswer> {
    const origin = await this.address.outside();
    const url = `${origin}${webhook.path}`;
    const details = parametersOf(webhook);
    if (!isSigned(webhook, url, details, this.config.accounts)) throw new Forged();
    const { id, twiml } = await this.hear({ details, query: new URL(url).searchParams, origin }, webhook.deliveryToken);
    return new XmlAnswer(twiml, `/api/remote_phone_call_events/${id}`);
  }

  /**
   * Takes a webhook in. A repeated delivery changes nothing, and gets the same answer.
   * @throws UnusableWebhook
   */
  private async hear(heard: Heard, deliveryToken?: string): Promise<Stored> {
    const { details, query } = heard;
    const sid = details.CallSid;
    if (typeof sid !== 'string' || sid === '') throw new UnusableWebhook("CallSid can't be blank");
    const delivery = deliveryKey(details, query, deliveryToken);
    return this.unitOfWork.run(async (manager) => {
      const call = await this.callOf(manager, sid, details, query);
      const known = await this.stored(manager, delivery);
      if (known) return known;
      const turn = await this.conversations.hear(manager, call, heard);
      const direction = typeof details.Direction === 'string' ? details.Direction : call.remote_direction;
      const stored = await affectedBy(
        manager,
        sql`INSERT INTO remote_phone_call_events
            (phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml)
          VALUES (${call.id}, ${JSON.stringify(details)}, ${sid}, ${direction}, ${turn.callFlow.name}, ${delivery},
            ${turn.twiml})
          ON CONFLICT (delivery) DO NOTHING`,
      );
      if (stored === 1) {
        await this.moveOn(manager, call, sid, direction, details, turn);
        await this.conversations.keep(manager, turn);
      }
      return (await this.stored(manager, delivery))!;
    });
  }

  private async stored(manager: EntityManager, delivery: string): Promise<Stored | undefined> {
    const [row] = await rowsOf<Stored>(
      manager,
      sql`SELECT id, twiml FROM remote_phone_call_events WHERE delivery = ${delivery}`,
    );
    return row;
  }

  /** The call that a webhook is about, held so that of two webhooks about it one waits for the other. */
  private async callOf(
    manager: EntityManager,
    sid: string,
    details: Metadata,
    query: URLSearchParams,
  ): Promise<PhoneCall> {
    const bySid = await lockedBy(manager, PhoneCall, { remote_call_id: sid });
    if (bySid) return bySid;
    const id = /^[1-9]\d{0,15}$/.exec(query.get('phone_call_id') ?? '')?.[0];
    const byId = id ? await lockedBy(manager, PhoneCall, { id: Number(id) }) : undefined;
    // Its first webhook may have come while we waited for the row.
    if (byId?.remote_call_id === sid) return byId;
    if (byId?.remote_call_id === null && byId.callout_participation_id !== null) return byId;
    if (details.Direction !== 'inbound') throw new UnusableWebhook(`Call ${sid} is not known`);
    return this.inboundCalls.take(manager, sid, details);
  }

  private async moveOn(
    manager: EntityManager,
    call: PhoneCall,
    sid: string,
    direction: string | null,
    details: Metadata,
    { state, metadata }: Turn,
  ): Promise<void> {
    const remoteStatus = typeof details.CallStatus === 'string' ? details.CallStatus : undefined;
    const sequence = sequenceOf(details);
    // A callback of a call is the truth about our uncertainty, too.
    const news = standingAfter(call, { remoteStatus, sequence }, ['created', 'queued', 'uncertain']);
    await rowsOf(
      manager,
      sql`UPDATE phone_calls SET status = ${news.status}, remote_status = ${news.remoteStatus}, remote_call_id = ${sid},
          remote_direction = coalesce(remote_direction, ${direction}), remote_error_message = NULL,
          call_flow_state = ${JSON.stringify(state)}, metadata = ${JSON.stringify(metadata)},
          sequence_number = ${Math.max(sequence ?? -1, call.sequence_number ?? -1)},
          remotely_queued_at = coalesce(remotely_queued_at, dialled_at),
          check_at = ${news.ended ? null : secondsFromNow(this.config.reconcileAfter)}, checks = 0, updated_at = ${now}
        WHERE id = ${call.id}`,
    );
  }
}

/**
 * The same for each delivery of one event: the step of the conversation, of which there is one; or the provider's token; or else what makes
 * the event what it is.
 */
function deliveryKey(details: Metadata, query: URLSearchParams, token: string | undefined): string {
  const { CallSid, CallStatus, SequenceNumber, Digits } = details;
  const step = Conversations.stepOf(query);
  const told = token ? [CallSid, token] : [CallSid, CallStatus, SequenceNumber, Digits, query.toString()];
  const event = step === undefined ? told : [CallSid, 'step', step];
  return createHash('sha256').update(JSON.stringify(event)).digest('base64url');
}

/** Twilio counts the callbacks of a call from 0. */
function sequenceOf({ SequenceNumber: given }: Metadata): number | undefined {
  return /^\d{1,9}$/.test(String(given)) ? Number(given) : undefined;
}
