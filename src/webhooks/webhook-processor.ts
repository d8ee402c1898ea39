import { Injectable } from '@nestjs/common';
import { CallFlowRunner, type CallWebhook } from '../call-flows/call-flow-runner.js';
import { persistWrites } from '../call-flows/persist-writes.js';
import { phoneCallIdIn } from '../call-flows/webhook-url.js';
import { Config } from '../config/config.js';
import { Batcher } from '../database/batcher.js';
import type { Take } from '../database/take-once.js';
import { isPostgres } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { UnusableWebhookError } from '../errors/errors.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { parseCaller } from '../phone-numbers/caller.js';
import { type RemoteIdOwner, retractGuessedIds } from '../phone-calls/remote-call-ids.js';
import { applyWebhook, updateCalls } from './call-updates.js';
import { InboundCalls } from './inbound-calls.js';
import { lockFlowContacts, lockFlowParticipations } from './lock-flow-records.js';
import { type WebhookCall, WebhookCalls } from './webhook-calls.js';
import { type StoredReply, findReplies, insertEvents } from './webhook-replies.js';

/** The most webhooks that one transaction processes. */
const MAX_BATCH_SIZE = 100;

/** How many such transactions run at the same time. SQLite has only one writer. */
const CONCURRENCY = isPostgres ? 2 : 1;

/** A valid webhook of a call. */
export interface ProviderWebhook extends CallWebhook {
  /** The provider's id of the call. */
  sid: string;
  /** The key of the event. Every delivery of the same event has the same key. */
  delivery: string;
}

/** A webhook with the call that it is about. */
interface WebhookWithCall {
  webhook: ProviderWebhook;
  call: WebhookCall;
}

/**
 * Processes webhooks. Concurrent webhooks share a transaction, in which their calls are locked. For each webhook, the
 * event is stored once, the call is updated, and its call flow returns the reply.
 */
@Injectable()
export class WebhookProcessor {
  private readonly batcher = new Batcher(
    (take: Take<ProviderWebhook>) => this.processBatch(take),
    MAX_BATCH_SIZE,
    CONCURRENCY,
  );

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly webhookCalls: WebhookCalls,
    private readonly inboundCalls: InboundCalls,
    private readonly callFlowRunner: CallFlowRunner,
    private readonly config: Config,
  ) {}

  /**
   * Processes one webhook.
   * @returns the stored event and its reply. A repeated delivery changes nothing and gets the same reply.
   * @throws UnusableWebhookError if the call is unknown
   */
  async process(webhook: ProviderWebhook): Promise<StoredReply> {
    const result = await this.batcher.add(webhook);
    if (result instanceof UnusableWebhookError) throw result;
    return result;
  }

  /**
   * Processes webhooks in one transaction.
   * @returns the result of each webhook, in their order. An error is returned rather than thrown, so that
   *   it does not roll back the other webhooks.
   */
  private processBatch(take: Take<ProviderWebhook>): Promise<(StoredReply | UnusableWebhookError)[]> {
    return this.unitOfWork.runShared(async (transaction) => {
      const webhooks = take();
      if (webhooks.length === 0) return [];
      const { matched, unusable, moved } = await this.matchCalls(transaction, webhooks);
      const replies = await findReplies(
        transaction,
        webhooks.map(({ delivery }) => delivery),
      );
      let pending = matched;
      while (pending.length > 0) {
        // Several webhooks of one call are processed one after another, in the order of arrival.
        const callIds = new Set<number>();
        const next = pending.filter(({ call }) => !callIds.has(call.id) && callIds.add(call.id));
        pending = pending.filter((item) => !next.includes(item));
        const unprocessed = next.filter(({ webhook }) => !replies.has(webhook.delivery));
        for (const { delivery, id, twiml } of await this.processDistinctCalls(transaction, unprocessed, moved)) {
          replies.set(delivery, { id, twiml });
        }
      }
      await refreshOutcomes(transaction, moved);
      return webhooks.map((webhook) => unusable.get(webhook) ?? replies.get(webhook.delivery)!);
    });
  }

  /** Finds and locks the call of each webhook, creates new inbound calls, and corrects guessed ids of the provider. */
  private async matchCalls(transaction: Transaction, webhooks: ProviderWebhook[]) {
    const sids = webhooks.map(({ sid }) => sid);
    const phoneCallIds = webhooks.flatMap(({ query }) => phoneCallIdIn(query) ?? []);
    const calls = await this.webhookCalls.lockCallsFor(transaction, sids, phoneCallIds);
    const matched: WebhookWithCall[] = [];
    const corrected: RemoteIdOwner[] = [];
    const unusable = new Map<ProviderWebhook, UnusableWebhookError>();
    const found = webhooks.map(({ sid, query }) => WebhookCalls.find(calls, sid, phoneCallIdIn(query)));
    const inbound = webhooks.filter(({ details }, index) => !found[index] && details.Direction === 'inbound');
    const keys = found.map((call, index) => call?.id ?? sids[index]);
    const isCorrected = found.some((call, index) => call && call.remote_call_id !== sids[index]);
    const isRepeated = isCorrected || new Set(keys).size < keys.length;
    if (isRepeated || inbound.length > 0) {
      const callers = inbound.flatMap(({ details }) => parseCaller(details.From).msisdn ?? []);
      await lockFlowContacts(transaction, calls, callers);
    }
    // Every process uses the same order, because creating calls and contacts locks them: first by the caller.
    const orders = new Map(inbound.map(({ sid, details }) => [sid, `${parseCaller(details.From).label} ${sid}`]));
    const orderOf = ({ sid }: ProviderWebhook): string => orders.get(sid) ?? '';
    const sorted = webhooks.toSorted((one, other) =>
      orderOf(one) < orderOf(other) ? -1 : Number(orderOf(one) > orderOf(other)),
    );
    for (const webhook of sorted) {
      const { sid, details, query } = webhook;
      let call = WebhookCalls.find(calls, sid, phoneCallIdIn(query));
      if (!call && details.Direction === 'inbound') {
        call = await this.inboundCalls.findOrCreate(transaction, sid, webhook);
        calls.push(call);
      } else if (!call) unusable.set(webhook, new UnusableWebhookError(`Call ${sid} is not known`));
      if (!call) continue;
      if (call.remote_call_id !== sid) {
        corrected.push({ id: call.id, remote_call_id: sid });
        for (const other of calls) {
          if (other.remote_call_id === sid) Object.assign(other, { remote_call_id: null, status: 'uncertain' });
        }
      }
      matched.push({ webhook, call });
    }
    const moved = new Set<number>();
    await retractGuessedIds(transaction, corrected, moved);
    if (isRepeated) await lockFlowParticipations(transaction, calls, moved);
    return { matched, unusable, moved };
  }

  /**
   * Runs the call flows of webhooks that are about different calls, stores the events and updates the calls.
   * @param moved the participations whose calls the transaction has moved before; they are refreshed, too
   * @returns the stored events with their replies
   */
  private async processDistinctCalls(transaction: Transaction, matched: WebhookWithCall[], moved: Set<number>) {
    if (matched.length === 0) return [];
    const loaded = await this.callFlowRunner.loadContexts(
      transaction,
      matched.map(({ call }) => call),
    );
    const handled = matched.map(({ webhook, call }, index) => ({
      webhook,
      call,
      result: this.callFlowRunner.runStep(loaded[index]!, call, webhook),
    }));
    const replies = await insertEvents(transaction, handled);
    const updates = handled.map(({ webhook, call, result }) => applyWebhook(call, webhook, result));
    await updateCalls(transaction, updates, this.config.reconcileAfter, moved);
    await persistWrites(
      transaction,
      handled.map(({ result }) => result),
      moved,
    );
    moved.clear();
    return replies;
  }
}
