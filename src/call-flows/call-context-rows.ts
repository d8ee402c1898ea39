import sql from 'sql-template-tag';
import { recordset, parseJson, now, toIsoTimestamp } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import type { CallContext } from './call-flow.js';

/** The columns of a phone call that its flow needs. */
export type FlowPhoneCall = Pick<
  PhoneCall,
  | 'id'
  | 'msisdn'
  | 'metadata'
  | 'contact_id'
  | 'callout_participation_id'
  | 'call_flow_logic'
  | 'call_flow_state'
  | 'remote_request_params'
>;

/** The records that a call belongs to, with what selects its flow. */
export interface CallContextRow {
  context: CallContext;
  /** ISO 8601, by the database's clock. */
  at: string;
  participationFlow: string | null;
  calloutFlow: string | null;
}

/** As the driver returns it. */
interface SelectedRow {
  phone_call_id: number;
  msisdn: string | null;
  contact_metadata: unknown;
  participation_id: number | null;
  participation_metadata: unknown;
  participation_flow: string | null;
  callout_id: number | null;
  status: string;
  callout_metadata: unknown;
  callout_flow: string | null;
  at: unknown;
}

/** Reads the records of several calls in one statement. @returns one row for each call, in the order of `calls` */
export async function selectCallContexts(
  transaction: Transaction,
  calls: readonly FlowPhoneCall[],
): Promise<CallContextRow[]> {
  const input = calls.map(({ id, contact_id, callout_participation_id, call_flow_state }) => ({
    id,
    contact_id,
    participation_id: callout_participation_id ?? call_flow_state?.participation_id ?? null,
  }));
  const columns = { id: 'bigint', contact_id: 'bigint', participation_id: 'bigint' } as const;
  const rows = await transaction.query<SelectedRow>(sql`SELECT input.id AS phone_call_id, contacts.msisdn,
          contacts.metadata AS contact_metadata,
        callout_participations.id AS participation_id, callout_participations.metadata AS participation_metadata,
        callout_participations.call_flow_logic AS participation_flow,
        callouts.id AS callout_id, callouts.status, callouts.metadata AS callout_metadata,
        callouts.call_flow_logic AS callout_flow, ${now} AS at
      FROM ${recordset('input', columns, input)}
      LEFT JOIN contacts ON contacts.id = input.contact_id
      LEFT JOIN callout_participations ON callout_participations.id = input.participation_id
      LEFT JOIN callouts ON callouts.id = callout_participations.callout_id`);
  const byCall = new Map(rows.map((row) => [row.phone_call_id, row]));
  return calls.map((call) => toContextRow(call, byCall.get(call.id)!));
}

function toContextRow(call: FlowPhoneCall, row: SelectedRow): CallContextRow {
  const { contact_id } = call;
  const { msisdn, participation_id, callout_id, status } = row;
  const hasContact = contact_id !== null && msisdn !== null;
  return {
    context: {
      phoneCall: { id: call.id, msisdn: call.msisdn, metadata: call.metadata },
      contact: hasContact ? { id: contact_id, msisdn, metadata: parseJson(row.contact_metadata) } : null,
      participation:
        participation_id === null ? null : { id: participation_id, metadata: parseJson(row.participation_metadata) },
      callout: callout_id === null ? null : { id: callout_id, status, metadata: parseJson(row.callout_metadata) },
    },
    at: toIsoTimestamp(row.at),
    participationFlow: row.participation_flow,
    calloutFlow: row.callout_flow,
  };
}
