import { choiceFilter, idFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
import { UpdateBatchOperationDto } from './batch-operation.dto.js';
import { BatchOperation } from './batch-operation.entity.js';
import { batchOperationStatuses } from './batch-operation.machine.js';
import { batchOperationTypeNames } from './types/types.module.js';

export const batchOperationResource = defineResource({
  entity: BatchOperation,
  update: UpdateBatchOperationDto,
  attributes: {
    id: {},
    callout_id: { filter: idFilter },
    parameters: { filter: jsonFilter },
    metadata: { filter: jsonFilter },
    status: { filter: choiceFilter(batchOperationStatuses) },
    created_at: { filter: timeFilters },
    updated_at: { filter: timeFilters },
    type: { filter: choiceFilter(batchOperationTypeNames) },
    progress: {
      from: ['processed', 'total'],
      present: ({ processed, total }) => (total === null ? null : { processed, total }),
      schema: {
        type: 'object',
        description: 'The progress of its last run; null before its first run.',
        selfRequired: true,
        nullable: true,
        properties: { processed: { type: 'integer' }, total: { type: 'integer' } },
        required: ['processed', 'total'],
        additionalProperties: false,
        example: { processed: 3, total: 10 },
      },
    },
    error: {},
  },
});
