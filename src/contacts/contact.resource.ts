import { msisdnFilter } from '../api/filters/attribute-filters.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
import { UpdateContactDto } from './contact.dto.js';
import { Contact } from './contact.entity.js';

export const contactResource = defineResource({
  entity: Contact,
  update: UpdateContactDto,
  attributes: {
    id: {},
    msisdn: { filter: msisdnFilter },
    metadata: { filter: jsonFilter },
    created_at: { filter: timeFilters },
    updated_at: { filter: timeFilters },
  },
});
