import sql, { type Sql, join, raw } from 'sql-template-tag';
import { FALSE_WORDS } from '../metadata/client-values.js';
import { normalizedTextAt } from '../metadata/normalized-text-at.js';

/** The key of a contact's metadata that says that they want no more calls. Populations leave such contacts out, and nobody dials them. */
export const DO_NOT_CALL = 'do_not_call';

/** The parameter of a batch operation that has such contacts called all the same. */
export const INCLUDE_DO_NOT_CALL = 'include_do_not_call';

/** What stands there. Both databases read this alike, and have an index on who has any. */
const optOutValue = raw(`(contacts.metadata -> '${DO_NOT_CALL}')`);

/** A client takes the wish back by null, a blank, or any spelling of no. */
const isReverted = sql`(coalesce(${normalizedTextAt('contacts.metadata', DO_NOT_CALL)}, '') IN ('', ${join([...FALSE_WORDS])}))`;

/** The contacts who asked for no more calls. */
export const optedOut: Sql = sql`(${optOutValue} IS NOT NULL AND NOT ${isReverted})`;

/** The others. */
export const notOptedOut: Sql = sql`(${optOutValue} IS NULL OR ${isReverted})`;
