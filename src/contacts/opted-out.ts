import sql, { type Sql } from 'sql-template-tag';

/** What stands under `do_not_call` (call-flows/opting-out.ts). Both databases read this alike, and have an index on who has any. */
const wish = sql`(contacts.metadata -> 'do_not_call')`;

/** The JSON values by which a client takes a `do_not_call` back. */
const takenBack = sql`('null', 'false', '"false"', '""')`;

/** The contacts who asked for no more calls. */
export const optedOut: Sql = sql`(${wish} IS NOT NULL AND ${wish} NOT IN ${takenBack})`;

/** The others. */
export const didNotOptOut: Sql = sql`(${wish} IS NULL OR ${wish} IN ${takenBack})`;
