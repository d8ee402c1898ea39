import sql, { type Sql, raw } from 'sql-template-tag';
import { WHITE_SPACE } from './client-values.js';

/**
 * The text at a key of a JSON column, in SQL: in lower case and without white space around it, as `booleanOf` reads it.
 */
export function wordAt(column: string, key: string): Sql {
  return sql`lower(trim(CAST(${raw(`${column} ->> '${key}'`)} AS text), ${WHITE_SPACE}))`;
}
