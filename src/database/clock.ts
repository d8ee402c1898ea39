import sql, { type Sql } from 'sql-template-tag';
import { isPostgres } from './dialect.js';

/** The database's clock as a number: milliseconds since 1970. */
export const nowMilliseconds: Sql = isPostgres
  ? sql`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
  : sql`CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)`;
