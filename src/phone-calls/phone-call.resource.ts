import sql from 'sql-template-tag';
import { json, timestamp } from '../database/dialect.js';
import { choiceFilter, idFilter, msisdnFilter, textFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { commonFilters, metadataOf, timesOf } from '../api/resources/record.js';
import type { Resource } from '../api/resources/resource.js';
import { phoneCallStatuses } from './phone-call.machine.js';

/**
 * What is shown is what is filtered by: a call without a call flow of its own has its participation's, or its
 * callout's.
 */
const callFlowLogic = sql`coalesce(phone_calls.call_flow_logic,
  (SELECT owner.call_flow_logic FROM callout_participations AS owner
    WHERE owner.id = phone_calls.callout_participation_id),
  (SELECT owner.call_flow_logic FROM callouts AS owner WHERE owner.id = phone_calls.callout_id))`;

export const phoneCallResource: Resource = {
  name: 'phone_calls',
  columns: sql`phone_calls.id, phone_calls.callout_participation_id, phone_calls.contact_id,
    phone_calls.create_batch_operation_id, phone_calls.queue_batch_operation_id,
    phone_calls.queue_remote_fetch_batch_operation_id, phone_calls.status, phone_calls.msisdn,
    phone_calls.remote_call_id, phone_calls.remote_status, phone_calls.remote_direction,
    phone_calls.remote_error_message, phone_calls.metadata, phone_calls.remote_response,
    phone_calls.remote_request_params, phone_calls.remote_queue_response, ${callFlowLogic} AS call_flow_logic,
    phone_calls.remotely_queued_at, phone_calls.created_at, phone_calls.updated_at`,
  filters: {
    msisdn: msisdnFilter('phone_calls.msisdn'),
    callout_participation_id: idFilter('phone_calls.callout_participation_id', { nullable: true }),
    callout_id: idFilter('phone_calls.callout_id', { nullable: true }),
    contact_id: idFilter('phone_calls.contact_id', { nullable: true }),
    status: choiceFilter(sql`phone_calls.status`, phoneCallStatuses),
    call_flow_logic: textFilter(callFlowLogic, 'CallFlowLogic::Application'),
    remote_call_id: textFilter(sql`phone_calls.remote_call_id`, 'CA0123456789abcdef0123456789abcdef'),
    remote_status: textFilter(sql`phone_calls.remote_status`, 'completed'),
    remote_direction: textFilter(sql`phone_calls.remote_direction`, 'outbound-api'),
    remote_error_message: textFilter(sql`phone_calls.remote_error_message`, 'Busy'),
    remote_response: jsonFilter('phone_calls.remote_response'),
    remote_queue_response: jsonFilter('phone_calls.remote_queue_response'),
    remote_request_params: jsonFilter('phone_calls.remote_request_params'),
    ...timeFilters('remotely_queued_at', 'phone_calls.remotely_queued_at'),
    ...commonFilters('phone_calls'),
  },
  present: (row) => ({
    id: row.id,
    callout_participation_id: row.callout_participation_id,
    contact_id: row.contact_id,
    create_batch_operation_id: row.create_batch_operation_id,
    queue_batch_operation_id: row.queue_batch_operation_id,
    queue_remote_fetch_batch_operation_id: row.queue_remote_fetch_batch_operation_id,
    status: row.status,
    msisdn: row.msisdn,
    remote_call_id: row.remote_call_id,
    remote_status: row.remote_status,
    remote_direction: row.remote_direction,
    remote_error_message: row.remote_error_message,
    ...metadataOf(row),
    remote_response: json(row.remote_response),
    remote_request_params: json(row.remote_request_params),
    remote_queue_response: json(row.remote_queue_response),
    call_flow_logic: row.call_flow_logic,
    remotely_queued_at: row.remotely_queued_at === null ? null : timestamp(row.remotely_queued_at),
    ...timesOf(row),
  }),
};
