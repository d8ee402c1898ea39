import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { recordset, parseJson, lockClause } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { FlowPhoneCall } from '../call-flows/call-context-rows.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import type { KnownState } from '../phone-calls/remote-state.js';

/** A call as far as webhooks need it. */
export type WebhookCall = FlowPhoneCall &
  KnownState &
  Pick<PhoneCall, 'remote_call_id' | 'remote_direction'> & {
    /** The provider's id of the call comes from the provider's own answer or from a callback, and is not a guess. */
    is_id_certain: boolean | number;
  };

/** Finds the calls that webhooks are about: by the provider's id, or by our own in the webhook's URL. */
@Injectable()
export class WebhookCalls {
  /**
   * The calls that some webhooks may be about, held in the order of their ids: so that of two webhooks about a call one waits for the other,
   * and of two transactions neither for ever.
   */
  async lockCallsFor(transaction: Transaction, sids: string[], ownIds: number[] = []): Promise<WebhookCall[]> {
    const bySid = sids.map((sid) => ({ sid }));
    const byId = ownIds.map((id) => ({ id }));
    const rows =
      await transaction.query<WebhookCall>(sql`SELECT id, status, msisdn, metadata, contact_id, callout_participation_id, call_flow_logic, call_flow_state,
          remote_request_params, remote_call_id, remote_status, remote_direction, sequence_number,
          remote_queue_response ->> 'sid' IS NOT NULL OR EXISTS (
            SELECT 1 FROM remote_phone_call_events AS events
            WHERE events.phone_call_id = phone_calls.id AND events.remote_call_id = phone_calls.remote_call_id
          ) AS is_id_certain
        FROM phone_calls WHERE id IN (
          SELECT called.id FROM ${recordset('input', { sid: 'text' }, bySid)}
            JOIN phone_calls AS called ON called.remote_call_id = input.sid
          UNION SELECT input.id FROM ${recordset('input', { id: 'bigint' }, byId)}
        ) ORDER BY id ${lockClause('FOR UPDATE')}`);
    return rows.map((row) => ({
      ...row,
      metadata: parseJson(row.metadata),
      call_flow_state: parseJson(row.call_flow_state),
      remote_request_params: parseJson(row.remote_request_params),
    }));
  }

  /**
   * The call among these that a webhook is about. Our own id in the URL wins over an id of the provider's that was guessed from its list of
   * calls.
   */
  static find(calls: WebhookCall[], sid: string, ownId: number | undefined): WebhookCall | undefined {
    const own = calls.find(({ id, callout_participation_id }) => id === ownId && callout_participation_id !== null);
    if (own && (own.remote_call_id === null || !own.is_id_certain)) return own;
    return calls.find(({ remote_call_id }) => remote_call_id === sid);
  }
}

/** Our own id of the call in a webhook's URL. */
export function ownIdIn(query: URLSearchParams): number | undefined {
  const id = /^[1-9]\d{0,14}$/.exec(query.get('phone_call_id') ?? '')?.[0];
  return id === undefined ? undefined : Number(id);
}
