import sql, { type Sql, raw } from 'sql-template-tag';
import { WHITE_SPACE } from './client-values.js';

/** Returns SQL for the text at a key of a JSON column, trimmed and in lower case, as `booleanOf` reads it. */
export function normalizedTextAt(column: string, key: string): Sql {
  return sql`lower(trim(CAST(${raw(`${column} ->> '${key}'`)} AS text), ${WHITE_SPACE}))`;
}
