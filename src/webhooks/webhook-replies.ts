import sql from 'sql-template-tag';
import type { StepResult } from '../call-flows/call-flow-runner.js';
import { recordset } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { Metadata } from '../metadata/metadata.js';
import { directionOf } from './call-updates.js';
import type { WebhookCall } from './webhook-calls.js';

/** A stored event and its reply. */
export interface StoredReply {
  /** The id of the event. */
  id: number;
  twiml: string;
}

type DeliveredReply = StoredReply & { delivery: string };

/** A webhook whose call flow has run. */
interface HandledWebhook {
  webhook: { sid: string; details: Metadata; delivery: string };
  call: WebhookCall;
  result: StepResult;
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

/**
 * Finds the replies of events that are stored already.
 * @param deliveries the keys of the events
 * @returns the replies by the keys
 */
export async function findReplies(transaction: Transaction, deliveries: string[]): Promise<Map<string, StoredReply>> {
  const input = deliveries.map((delivery) => ({ delivery }));
  const rows = await transaction.query<DeliveredReply>(sql`SELECT events.id, events.twiml, events.delivery
        FROM remote_phone_call_events AS events
        JOIN ${recordset('input', { delivery: 'text' }, input)} ON input.delivery = events.delivery`);
  return new Map(rows.map(({ id, twiml, delivery }) => [delivery, { id, twiml }]));
}

/** Stores the events of webhooks with their replies. */
export function insertEvents(transaction: Transaction, handled: HandledWebhook[]): Promise<DeliveredReply[]> {
  const events = handled.map(({ webhook: { sid, details, delivery }, call, result }) => ({
    phone_call_id: call.id,
    details,
    remote_call_id: sid,
    remote_direction: directionOf(details) ?? call.remote_direction,
    call_flow_logic: result.callFlow.name,
    delivery,
    twiml: result.twiml,
  }));
  return transaction.query<DeliveredReply>(sql`INSERT INTO remote_phone_call_events
        (phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml)
      SELECT phone_call_id, details, remote_call_id, remote_direction, call_flow_logic, delivery, twiml
      FROM ${recordset('input', eventColumns, events)}
      RETURNING id, twiml, delivery`);
}
