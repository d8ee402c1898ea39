import { choiceFilter, textFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
import { calloutPriorities } from './callout-priority.js';
import { CalloutDto } from './callout.dto.js';
import { Callout } from './callout.entity.js';
import { calloutStatuses } from './callout.machine.js';

export const calloutResource = defineResource({
  entity: Callout,
  update: CalloutDto,
  attributes: {
    id: {},
    status: { filter: choiceFilter(calloutStatuses) },
    call_flow_logic: { filter: textFilter('CallFlowLogic::Application') },
    metadata: { filter: jsonFilter },
    created_at: { filter: timeFilters },
    updated_at: { filter: timeFilters },
    priority: { filter: choiceFilter(calloutPriorities) },
    audience: {},
    dial_plan: {},
    starts_at: { filter: timeFilters },
    expires_at: { filter: timeFilters },
    held_because: {},
    started_at: { filter: timeFilters },
    stopped_at: { filter: timeFilters },
    completed_at: { filter: timeFilters },
  },
});
