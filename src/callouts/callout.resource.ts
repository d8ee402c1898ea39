import sql from 'sql-template-tag';
import { choiceFilter, textFilter } from '../api/filters/attribute-filters.js';
import { commonFilters, metadataOf, timesOf } from '../api/resources/record.js';
import type { Resource } from '../api/resources/resource.js';
import { calloutStatuses } from './callout.machine.js';

export const calloutResource: Resource = {
  name: 'callouts',
  columns: sql`callouts.id, callouts.status, callouts.call_flow_logic, callouts.metadata,
    callouts.created_at, callouts.updated_at, callouts.held_because`,
  filters: {
    status: choiceFilter(sql`callouts.status`, calloutStatuses),
    call_flow_logic: textFilter(sql`callouts.call_flow_logic`, 'CallFlowLogic::Application'),
    ...commonFilters('callouts'),
  },
  present: (row) => ({
    id: row.id,
    status: row.status,
    call_flow_logic: row.call_flow_logic,
    ...metadataOf(row),
    ...timesOf(row),
    held_because: row.held_because,
  }),
};
