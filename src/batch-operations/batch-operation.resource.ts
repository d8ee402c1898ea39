import sql from 'sql-template-tag';
import { json } from '../database/dialect.js';
import { choiceFilter, idFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { commonFilters, metadataOf, timesOf } from '../api/resources/record.js';
import type { Resource } from '../api/resources/resource.js';
import { batchOperationStatuses } from './batch-operation.machine.js';
import { batchOperationTypes } from './batch-operation.types.js';

export const batchOperationResource: Resource = {
  name: 'batch_operations',
  columns: sql`batch_operations.id, batch_operations.callout_id, batch_operations.parameters, batch_operations.metadata,
    batch_operations.status, batch_operations.created_at, batch_operations.updated_at, batch_operations.type,
    batch_operations.processed, batch_operations.total, batch_operations.error`,
  filters: {
    status: choiceFilter(sql`batch_operations.status`, batchOperationStatuses),
    type: choiceFilter(sql`batch_operations.type`, batchOperationTypes),
    callout_id: idFilter('batch_operations.callout_id', { nullable: true }),
    parameters: jsonFilter('batch_operations.parameters'),
    ...commonFilters('batch_operations'),
  },
  present: (row) => ({
    id: row.id,
    callout_id: row.callout_id,
    parameters: json(row.parameters),
    ...metadataOf(row),
    status: row.status,
    ...timesOf(row),
    type: row.type,
    progress: row.total === null ? null : { processed: row.processed, total: row.total },
    error: row.error,
  }),
};
