import sql, { type Sql, raw } from 'sql-template-tag';

/** The key of a contact's metadata that says that they want no more calls. Populations leave such contacts out, and nobody dials them. */
export const DO_NOT_CALL = 'do_not_call';

/** The parameter of a batch operation that has such contacts called all the same. */
export const INCLUDE_DO_NOT_CALL = 'include_do_not_call';

/** What stands there. Both databases read this alike, and have an index on who has any. */
const wish = raw(`(contacts.metadata -> '${DO_NOT_CALL}')`);

/** The same as lower-case text. */
const wishText = raw(`lower(CAST(contacts.metadata -> '${DO_NOT_CALL}' AS text))`);

/** The JSON values by which a client takes the wish back: null, a blank, and every spelling of no. */
const takenBack = sql`('null', '""', 'false', '"false"', '0', '"0"', '"f"', '"no"', '"off"')`;

/** The contacts who asked for no more calls. */
export const optedOut: Sql = sql`(${wish} IS NOT NULL AND ${wishText} NOT IN ${takenBack})`;

/** The others. */
export const didNotOptOut: Sql = sql`(${wish} IS NULL OR ${wishText} IN ${takenBack})`;
