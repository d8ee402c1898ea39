import sql from 'sql-template-tag';
import { json } from '../database/dialect.js';
import { idFilter, textFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { commonFilters, metadataOf, timesOf } from '../api/resources/record.js';
import type { Resource } from '../api/resources/resource.js';

export const remotePhoneCallEventResource: Resource = {
  name: 'remote_phone_call_events',
  columns: sql`remote_phone_call_events.id, remote_phone_call_events.phone_call_id, remote_phone_call_events.details,
    remote_phone_call_events.metadata, remote_phone_call_events.remote_call_id,
    remote_phone_call_events.remote_direction, remote_phone_call_events.call_flow_logic,
    remote_phone_call_events.created_at, remote_phone_call_events.updated_at`,
  filters: {
    phone_call_id: idFilter('remote_phone_call_events.phone_call_id'),
    call_flow_logic: textFilter(sql`remote_phone_call_events.call_flow_logic`, 'CallFlowLogic::Application'),
    remote_call_id: textFilter(sql`remote_phone_call_events.remote_call_id`, 'CA0123456789abcdef0123456789abcdef'),
    remote_direction: textFilter(sql`remote_phone_call_events.remote_direction`, 'outbound-api'),
    details: jsonFilter('remote_phone_call_events.details'),
    ...commonFilters('remote_phone_call_events'),
  },
  present: (row) => ({
    id: row.id,
    phone_call_id: row.phone_call_id,
    details: json(row.details),
    ...metadataOf(row),
    remote_call_id: row.remote_call_id,
    remote_direction: row.remote_direction,
    call_flow_logic: row.call_flow_logic,
    ...timesOf(row),
  }),
};
