import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { CallFlowState } from '../call-flows/call-flow-state.js';
import { CallFlowRegistry } from '../call-flows/call-flow-registry.js';
import type { CallWebhook } from '../call-flows/call-flow-runner.js';
import { webhookUrl } from '../call-flows/webhook-url.js';
import { Config } from '../config/config.js';
import { jsonCast, parseJson, secondsFromNow } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { insertion } from '../phone-calls/phone-call-transitions.js';
import { sendableParams } from '../phone-calls/remote-request-params.js';
import { parseCaller } from '../phone-numbers/caller.js';
import { isSameNumber } from '../phone-numbers/same-number.js';
import { type WebhookCall, WebhookCalls } from './webhook-calls.js';

/** How long after its end a callout is still repeated to people who call back (s). */
const CALL_BACK_PERIOD = 86_400;

/** How many of a person's latest calls are searched for the one that they call back about. */
const MAX_EARLIER_CALLS = 50;

/** A call of ours to a person who now calls in. */
interface EarlierCall {
  remote_request_params: Metadata;
  call_flow_logic: string | null;
  participation_id: number;
  callout_id: number;
  callout_metadata: Metadata;
  is_recent: boolean | number;
}

/** The values that an inbound call is created with. */
interface InitialValues {
  call_flow_logic: string | null;
  call_flow_state: CallFlowState | null;
  metadata: Metadata;
}

/** Creates the phone calls of people who call in. A person who calls back hears the callout that called them. */
@Injectable()
export class InboundCalls {
  constructor(
    private readonly config: Config,
    private readonly webhookCalls: WebhookCalls,
    private readonly callFlows: CallFlowRegistry,
  ) {}

  /**
   * Returns the row of an inbound call, locked. A new call is created with the contact who has the caller's number. A
   * new contact is created if nobody has the number. The call has no contact if the caller's number is unknown.
   * @param sid the provider's id of the call
   */
  async findOrCreate(transaction: Transaction, sid: string, { details, origin }: CallWebhook): Promise<WebhookCall> {
    const { msisdn, label } = parseCaller(details.From);
    const earlier = msisdn === undefined ? undefined : await this.findEarlierCall(transaction, msisdn, details.To);
    const { call_flow_logic, call_flow_state, metadata } = (earlier && this.valuesForCallBack(earlier, origin)) ?? {
      call_flow_logic: this.config.inboundCallFlow ?? null,
      call_flow_state: null,
      metadata: {},
    };
    const received = insertion('receive', {
      remote_call_id: sid,
      check_at: secondsFromNow(this.config.reconcileAfter),
    });
    const contactId = msisdn === undefined ? null : await this.findOrCreateContact(transaction, msisdn);
    await transaction.query(sql`INSERT INTO phone_calls
          (contact_id, msisdn, remote_direction, call_flow_logic, call_flow_state, metadata,
          ${received.columns})
        VALUES (${contactId}, ${label}, 'inbound', ${call_flow_logic},
          ${call_flow_state && JSON.stringify(call_flow_state)}${jsonCast}, ${JSON.stringify(metadata)}${jsonCast},
          ${received.values})
        ON CONFLICT (remote_call_id) DO NOTHING`);
    const [call] = await this.webhookCalls.lockCallsFor(transaction, [sid]);
    return call!;
  }

  /**
   * Returns the id of the contact with a number, and creates the contact if there is none. The row is locked, so it
   * cannot be deleted before the call refers to it.
   */
  private async findOrCreateContact(transaction: Transaction, msisdn: string): Promise<number> {
    const [contact] = await transaction.query<{ id: number }>(sql`INSERT INTO contacts (msisdn) VALUES (${msisdn})
        ON CONFLICT (msisdn) DO UPDATE SET updated_at = contacts.updated_at RETURNING id`);
    return contact!.id;
  }

  /**
   * Returns the values of a call that repeats the callout of an earlier call.
   * @returns undefined if the callout ended too long ago, has nothing to say, or another program answered the earlier
   *   call
   */
  private valuesForCallBack(earlier: EarlierCall, origin: string): InitialValues | undefined {
    const { participation_id, callout_id, call_flow_logic, remote_request_params: params } = earlier;
    if (!earlier.is_recent) return undefined;
    const metadata = { calling_back: { callout_id, callout_participation_id: participation_id } };
    // `url` takes precedence over `twiml`. We do not know the document at the URL of another program.
    const { url, twiml, application_sid } = sendableParams(params);
    if (application_sid || (url && textOf(url)?.startsWith(webhookUrl(origin)) !== true)) return undefined;
    const document = textOf(twiml);
    if (document && !url) {
      // No step has the number 0, so every request gets this document.
      const standing = { step: 0, twiml: document, memory: {} };
      return { call_flow_logic, call_flow_state: { participation_id, standing }, metadata };
    }
    const invalidKeys = Object.keys(this.callFlows.resolve(call_flow_logic).validateMetadata(earlier.callout_metadata));
    return invalidKeys.length > 0 ? undefined : { call_flow_logic, call_flow_state: { participation_id }, metadata };
  }

  /**
   * Finds the latest call that the provider accepted from us, between the same two numbers.
   * @param msisdn the caller's number
   * @param called the number that is called
   */
  private async findEarlierCall(
    transaction: Transaction,
    msisdn: string,
    called: unknown,
  ): Promise<EarlierCall | undefined> {
    const rows = await transaction.query<EarlierCall>(sql`SELECT phone_calls.remote_request_params,
          callout_participations.id AS participation_id,
          coalesce(phone_calls.call_flow_logic, callout_participations.call_flow_logic, callouts.call_flow_logic)
            AS call_flow_logic,
          callouts.id AS callout_id, callouts.metadata AS callout_metadata,
          callouts.status NOT IN ('stopped', 'completed')
            OR coalesce(callouts.stopped_at, callouts.completed_at) > ${secondsFromNow(-CALL_BACK_PERIOD)}
            AS is_recent
        FROM phone_calls
        JOIN callout_participations ON callout_participations.id = phone_calls.callout_participation_id
        JOIN callouts ON callouts.id = phone_calls.callout_id
        WHERE phone_calls.msisdn = ${msisdn} AND phone_calls.remotely_queued_at IS NOT NULL
        ORDER BY phone_calls.remotely_queued_at DESC, phone_calls.id DESC LIMIT ${MAX_EARLIER_CALLS}`);
    return rows
      .map((row) => ({
        ...row,
        remote_request_params: parseJson<Metadata>(row.remote_request_params),
        callout_metadata: parseJson<Metadata>(row.callout_metadata),
      }))
      .find(({ remote_request_params: { from } }) => isSameNumber(from, called));
  }
}
