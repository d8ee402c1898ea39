import { choiceFilter, idFilter } from '../api/filters/attribute-filters.js';
import { defineResource } from '../api/resources/define-resource.js';
import { eventTypes, resourceTypes } from './event-types.js';
import { Event } from './event.entity.js';

export const eventResource = defineResource({
  entity: Event,
  attributes: {
    id: {},
    type: { filter: choiceFilter(Object.keys(eventTypes)) },
    resource_type: { filter: choiceFilter(resourceTypes) },
    resource_id: { filter: idFilter },
    changes: {},
    created_at: {},
  },
});
