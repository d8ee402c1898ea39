import sql from 'sql-template-tag';
import type { StepResult } from '../call-flows/call-flow-runner.js';
import { recordset, secondsFromNow } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import { type KnownState, stateAfter } from '../phone-calls/remote-state.js';
import type { WebhookCall } from './webhook-calls.js';

const updatedColumns = {
  id: 'bigint',
  status: 'text',
  remote_status: 'text',
  remote_call_id: 'text',
  remote_direction: 'text',
  sequence_number: 'bigint',
  call_flow_state: 'jsonb',
  metadata: 'jsonb',
} as const;

/** The new values of a call's row. */
export type CallUpdate = Record<keyof typeof updatedColumns, unknown>;

/**
 * Applies a webhook to a call, and returns what to store. A webhook proves that the provider has the call. Therefore a
 * call that was uncertain, or that was given up without the provider's id, continues.
 * @param call is updated too, so that the next webhook of the transaction sees the new values
 */
export function applyWebhook(
  call: WebhookCall,
  { details, sid }: { details: Metadata; sid: string },
  { state, metadata }: StepResult,
): CallUpdate {
  const remoteStatus = typeof details.CallStatus === 'string' ? details.CallStatus : undefined;
  const sequence = sequenceOf(details);
  const assumed = [
    'created',
    'queued',
    'uncertain',
    ...(call.remote_call_id === null ? ['errored' as const] : []),
  ] as const;
  // What is known about another call of the provider does not apply to this one.
  const known: KnownState =
    call.remote_call_id === sid
      ? call
      : {
          status: call.remote_call_id === null ? call.status : 'uncertain',
          remote_status: null,
          sequence_number: null,
        };
  const news = stateAfter(known, { remoteStatus, sequence }, assumed);
  const update = {
    id: call.id,
    status: news.status,
    remote_status: news.remoteStatus,
    remote_call_id: sid,
    remote_direction: call.remote_direction ?? directionOf(details) ?? null,
    sequence_number: Math.max(sequence ?? -1, known.sequence_number ?? -1),
    call_flow_state: state,
    metadata,
  };
  Object.assign(call, update);
  return update;
}

/**
 * Stores the updates of calls.
 * @param reconcileAfter how long a call may be without another webhook before it is looked up at the provider (s)
 * @param participations receives the participations whose outcomes the caller refreshes
 */
export async function updateCalls(
  transaction: Transaction,
  updates: CallUpdate[],
  reconcileAfter: number,
  participations: Set<number>,
): Promise<void> {
  await movePhoneCalls(transaction, 'webhook', {
    values: {
      remote_call_id: sql`input.remote_call_id`,
      remote_status: sql`input.remote_status`,
      remotely_queued_at: sql`coalesce(phone_calls.remotely_queued_at, phone_calls.dialled_at)`,
      sequence_number: sql`input.sequence_number`,
      check_at: secondsFromNow(reconcileAfter),
      checks: 0,
    },
    target: sql`input.status`,
    set: sql`remote_direction = input.remote_direction, call_flow_state = input.call_flow_state,
      metadata = input.metadata`,
    from: recordset('input', updatedColumns, updates),
    where: sql`phone_calls.id = input.id`,
    participations,
  });
}

/** @returns the `Direction` of a webhook; undefined if it has none */
export function directionOf({ Direction }: Metadata): string | undefined {
  return typeof Direction === 'string' ? Direction : undefined;
}

/** @returns the number of a status callback, which Twilio counts from 0 for each call; undefined if it has none */
function sequenceOf({ SequenceNumber }: Metadata): number | undefined {
  return /^\d{1,9}$/.test(textOf(SequenceNumber) ?? '') ? Number(SequenceNumber) : undefined;
}
