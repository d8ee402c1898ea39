import sql, { type Sql, raw } from 'sql-template-tag';

/** The key of a contact's metadata that says that they want no more calls. Populations leave such contacts out. */
export const DO_NOT_CALL = 'do_not_call';

/** What stands there. Both databases read this alike, and have an index on who has any. */
const wish = raw(`(contacts.metadata -> '${DO_NOT_CALL}')`);

/** The JSON values by which a client takes it back. */
const takenBack = sql`('null', 'false', '"false"', '""')`;

/** The contacts who asked for no more calls. */
export const optedOut: Sql = sql`(${wish} IS NOT NULL AND ${wish} NOT IN ${takenBack})`;

/** The others. */
export const didNotOptOut: Sql = sql`(${wish} IS NULL OR ${wish} IN ${takenBack})`;
