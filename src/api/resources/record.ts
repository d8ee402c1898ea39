import { json, timestamp } from '../../database/dialect.js';
import type { Filters } from '../filters/filter.js';
import { jsonFilter } from '../filters/json-filter.js';
import { timeFilters } from '../filters/time-filter.js';
import type { Row } from './resource.js';

/** The filters that every resource has. */
export function commonFilters(table: string): Filters {
  return {
    metadata: jsonFilter(`${table}.metadata`),
    ...timeFilters('created_at', `${table}.created_at`),
    ...timeFilters('updated_at', `${table}.updated_at`),
  };
}

/** The metadata of a record, as it is shown. */
export function metadataOf(row: Row): Row {
  return { metadata: json(row.metadata) };
}

/** When a record was made and last changed, as it is shown. */
export function timesOf(row: Row): Row {
  return { created_at: timestamp(row.created_at), updated_at: timestamp(row.updated_at) };
}
