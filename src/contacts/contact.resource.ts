import sql from 'sql-template-tag';
import { msisdnFilter } from '../api/filters/attribute-filters.js';
import { commonFilters, metadataOf, timesOf } from '../api/resources/record.js';
import type { Resource } from '../api/resources/resource.js';

export const contactResource: Resource = {
  name: 'contacts',
  columns: sql`contacts.id, contacts.msisdn, contacts.metadata, contacts.created_at, contacts.updated_at`,
  filters: { msisdn: msisdnFilter('contacts.msisdn'), ...commonFilters('contacts') },
  present: (row) => ({ id: row.id, msisdn: row.msisdn, ...metadataOf(row), ...timesOf(row) }),
};
