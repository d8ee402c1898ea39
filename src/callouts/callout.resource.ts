import { choiceFilter, textFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
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
    held_because: {},
  },
});
