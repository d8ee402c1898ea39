import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { recordset, parseJson, lockClause } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { FlowPhoneCall } from '../call-flows/call-context-rows.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import type { KnownState } from '../phone-calls/remote-state.js';

/** The columns of a phone call that processing a webhook needs. */
export type WebhookCall = FlowPhoneCall &
  KnownState &
  Pick<PhoneCall, 'remote_call_id' | 'remote_direction'> & {
    /** Whether the provider itself sent `remote_call_id`. Otherwise the id was guessed from its list of calls. */
    is_id_certain: boolean | number;
  };

/** Finds the calls that webhooks are about, by the provider's id or by our own id in the webhook's URL. */
@Injectable()
export class WebhookCalls {
  /**
   * Selects and locks the calls that webhooks may be about. Two webhooks of one call therefore run one after the other.
   * The rows are locked in the order of their ids, which prevents deadlocks.
   * @param sids the provider's ids
   * @param phoneCallIds our ids
   */
  async lockCallsFor(transaction: Transaction, sids: string[], phoneCallIds: number[] = []): Promise<WebhookCall[]> {
    const bySid = sids.map((sid) => ({ sid }));
    const byId = phoneCallIds.map((id) => ({ id }));
    const rows = await transaction.query<WebhookCall>(sql`SELECT id, status, msisdn, metadata, contact_id,
          callout_participation_id, call_flow_logic, call_flow_state,
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
   * Returns the call that a webhook is about. Our own id in the URL takes precedence over an id of the provider that
   * was guessed from its list of calls.
   * @param phoneCallId our id in the webhook's URL, if it has one
   */
  static find(calls: WebhookCall[], sid: string, phoneCallId: number | undefined): WebhookCall | undefined {
    const own = calls.find(
      ({ id, callout_participation_id }) => id === phoneCallId && callout_participation_id !== null,
    );
    if (own && (own.remote_call_id === null || !own.is_id_certain)) return own;
    return calls.find(({ remote_call_id }) => remote_call_id === sid);
  }
}
