import sql from 'sql-template-tag';
import { choiceFilter, idFilter, msisdnFilter, textFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
import { UpdatePhoneCallDto } from './phone-call.dto.js';
import { PhoneCall } from './phone-call.entity.js';
import { phoneCallStatuses } from './phone-call.machine.js';

/** The call flow of the call, or else that of its participation or callout. */
const callFlowLogic = sql`coalesce(phone_calls.call_flow_logic,
  (SELECT owner.call_flow_logic FROM callout_participations AS owner
    WHERE owner.id = phone_calls.callout_participation_id),
  (SELECT owner.call_flow_logic FROM callouts AS owner WHERE owner.id = phone_calls.callout_id))`;

export const phoneCallResource = defineResource({
  entity: PhoneCall,
  update: UpdatePhoneCallDto,
  attributes: {
    id: {},
    callout_participation_id: { filter: idFilter },
    contact_id: { filter: idFilter },
    create_batch_operation_id: {},
    queue_batch_operation_id: {},
    queue_remote_fetch_batch_operation_id: {},
    status: { filter: choiceFilter(phoneCallStatuses) },
    msisdn: { filter: msisdnFilter },
    remote_call_id: { filter: textFilter('CA0123456789abcdef0123456789abcdef') },
    remote_status: { filter: textFilter('completed') },
    remote_direction: { filter: textFilter('outbound-api') },
    remote_error_message: { filter: textFilter('Busy') },
    metadata: { filter: jsonFilter },
    remote_response: { filter: jsonFilter },
    remote_request_params: { filter: jsonFilter },
    remote_queue_response: { filter: jsonFilter },
    call_flow_logic: { column: callFlowLogic, filter: textFilter('CallFlowLogic::Application') },
    remotely_queued_at: { filter: timeFilters },
    created_at: { filter: timeFilters },
    updated_at: { filter: timeFilters },
    attempt: {},
  },
  filters: {
    callout_id: { filter: idFilter },
  },
});
