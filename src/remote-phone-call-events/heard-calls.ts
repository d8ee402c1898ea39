import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { given, json, locking } from '../database/dialect.js';
import { rowsOf } from '../database/statements.js';
import type { ConversingCall } from '../call-flows/conversations.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import type { RemoteStanding } from '../phone-calls/remote-state.js';

/** A call as far as webhooks need it. */
export type HeardCall = ConversingCall & RemoteStanding & Pick<PhoneCall, 'remote_call_id' | 'remote_direction'>;

/** Finds the calls that webhooks are about: by the provider's id, or by our own in the webhook's URL. */
@Injectable()
export class HeardCalls {
  /**
   * The calls that some webhooks may be about, held in the order of their ids: so that of two webhooks about a call one waits for the other,
   * and of two transactions neither for ever.
   */
  async lock(manager: EntityManager, sids: string[], ownIds: number[] = []): Promise<HeardCall[]> {
    const bySid = sids.map((sid) => ({ sid }));
    const byId = ownIds.map((id) => ({ id }));
    const rows = await rowsOf<HeardCall>(
      manager,
      sql`SELECT id, status, msisdn, metadata, contact_id, callout_participation_id, call_flow_logic, call_flow_state,
          remote_request_params, remote_call_id, remote_status, remote_direction, sequence_number
        FROM phone_calls WHERE id IN (
          SELECT called.id FROM ${given('told', { sid: 'text' }, bySid)}
            JOIN phone_calls AS called ON called.remote_call_id = told.sid
          UNION SELECT told.id FROM ${given('told', { id: 'bigint' }, byId)}
        ) ORDER BY id ${locking('FOR UPDATE')}`,
    );
    return rows.map((row) => ({
      ...row,
      metadata: json(row.metadata),
      call_flow_state: json(row.call_flow_state),
      remote_request_params: json(row.remote_request_params),
    }));
  }

  /** The call among these that a webhook is about. Our own id counts while the provider's is not known. */
  static among(calls: HeardCall[], sid: string, ownId: number | undefined): HeardCall | undefined {
    const bySid = calls.find(({ remote_call_id }) => remote_call_id === sid);
    if (bySid) return bySid;
    return calls.find(
      (call) => call.id === ownId && call.remote_call_id === null && call.callout_participation_id !== null,
    );
  }
}

/** Our own id of the call in a webhook's URL. */
export function ownIdIn(query: URLSearchParams): number | undefined {
  const id = /^[1-9]\d{0,14}$/.exec(query.get('phone_call_id') ?? '')?.[0];
  return id === undefined ? undefined : Number(id);
}
