import sql, { type Sql, join, raw } from 'sql-template-tag';
import { FALSE_WORDS } from '../metadata/client-values.js';
import { normalizedTextAt } from '../metadata/normalized-text-at.js';

/**
 * The key of a contact's metadata that records an opt-out. Contacts who opted out are left out of populations and are
 * not dialed.
 */
export const DO_NOT_CALL = 'do_not_call';

/** The parameter of a batch operation that includes contacts who opted out. */
export const INCLUDE_DO_NOT_CALL = 'include_do_not_call';

/** The value of the opt-out. Both databases have an index on the contacts that have one. */
const optOutValue = raw(`(contacts.metadata -> '${DO_NOT_CALL}')`);

/** A client reverts an opt-out with null, a blank value, or any spelling of false. */
const isReverted = sql`(coalesce(${normalizedTextAt('contacts.metadata', DO_NOT_CALL)}, '') IN ('', ${join([...FALSE_WORDS])}))`;

/** The condition of the contacts who opted out. */
export const optedOut: Sql = sql`(${optOutValue} IS NOT NULL AND NOT ${isReverted})`;

/** The condition of the contacts who did not opt out. */
export const notOptedOut: Sql = sql`(${optOutValue} IS NULL OR ${isReverted})`;
