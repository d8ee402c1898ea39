import { idFilter, textFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
import { UpdateRemotePhoneCallEventDto } from './remote-phone-call-event.dto.js';
import { RemotePhoneCallEvent } from './remote-phone-call-event.entity.js';

export const remotePhoneCallEventResource = defineResource({
  entity: RemotePhoneCallEvent,
  update: UpdateRemotePhoneCallEventDto,
  attributes: {
    id: {},
    phone_call_id: { filter: idFilter },
    details: { filter: jsonFilter },
    metadata: { filter: jsonFilter },
    remote_call_id: { filter: textFilter('CA0123456789abcdef0123456789abcdef') },
    remote_direction: { filter: textFilter('outbound-api') },
    call_flow_logic: { filter: textFilter('CallFlowLogic::Application') },
    created_at: { filter: timeFilters },
    updated_at: { filter: timeFilters },
  },
});
