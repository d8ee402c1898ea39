import sql from 'sql-template-tag';
import { json, timestamp } from '../database/dialect.js';
import { choiceFilter, idFilter } from '../filters/attribute-filters.js';
import type { Resource } from '../resources/resource.js';
import { eventTypes, resourceTypes } from './event-types.js';

export const eventResource: Resource = {
  name: 'events',
  columns: sql`events.id, events.type, events.resource_type, events.resource_id, events.changes, events.created_at`,
  filters: {
    type: choiceFilter(sql`events.type`, Object.keys(eventTypes)),
    resource_type: choiceFilter(sql`events.resource_type`, resourceTypes),
    resource_id: idFilter('events.resource_id'),
  },
  present: (row) => ({
    id: row.id,
    type: row.type,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    changes: json(row.changes),
    created_at: timestamp(row.created_at),
  }),
};
