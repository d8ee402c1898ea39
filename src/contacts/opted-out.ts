import sql, { type Sql, join, raw } from 'sql-template-tag';
import { FALSE_WORDS, WHITE_SPACE } from '../metadata/client-values.js';

/** The key of a contact's metadata that says that they want no more calls. Populations leave such contacts out, and nobody dials them. */
export const DO_NOT_CALL = 'do_not_call';

/** The parameter of a batch operation that has such contacts called all the same. */
export const INCLUDE_DO_NOT_CALL = 'include_do_not_call';

/** What stands there. Both databases read this alike, and have an index on who has any. */
const wish = raw(`(contacts.metadata -> '${DO_NOT_CALL}')`);

/** The same as lower-case text, without white space around it. JSON's null has none. */
const wishText = sql`lower(trim(CAST(${raw(`contacts.metadata ->> '${DO_NOT_CALL}'`)} AS text), ${WHITE_SPACE}))`;

/** The texts by which a client takes the wish back: a blank, and every spelling of no, as `booleanOf` reads it. */
const takenBack = sql`('', ${join([...FALSE_WORDS])})`;

/** The contacts who asked for no more calls. */
export const optedOut: Sql = sql`(${wish} IS NOT NULL AND coalesce(${wishText}, '') NOT IN ${takenBack})`;

/** The others. */
export const didNotOptOut: Sql = sql`(${wish} IS NULL OR coalesce(${wishText}, '') IN ${takenBack})`;
