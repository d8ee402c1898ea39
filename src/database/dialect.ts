import sql, { type Sql, empty, join, raw } from 'sql-template-tag';
import { readDatabase } from '../config/database.js';

/** Which of the two databases this process speaks to; fixed when it starts, since the entities' column types hang on it. */
export const isPostgres = readDatabase(process.env).kind === 'postgres';

/** The database's own clock, to the millisecond: the only clock that leases and timestamps go by. */
export const now: Sql = isPostgres ? sql`clock_timestamp()` : sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`;

/** That clock as a number: milliseconds since 1970. */
export const nowMilliseconds: Sql = isPostgres
  ? sql`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
  : sql`CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)`;

/** PostgreSQL's clause that locks the rows a query finds; on SQLite nothing, since there the transaction is the only writer anyway. */
export function locking(
  clause: 'FOR UPDATE' | 'FOR UPDATE SKIP LOCKED' | 'FOR KEY SHARE OF contacts' | `FOR UPDATE OF ${string}`,
): Sql {
  return isPostgres ? raw(clause) : empty;
}

/**
 * A text column of rows that a statement finds by a key, and then only checks. For PostgreSQL in a form that no index has: with statistics that are
 * a minute old it would at times believe that hardly any row has such a value, fetch all that have it, and compare each with every key.
 */
export function notIndexed(column: string): Sql {
  return isPostgres ? sql`(${raw(column)} || '')` : raw(column);
}

/** That clock, so many seconds from now; the number, or an expression that is positive. */
export function secondsFromNow(seconds: number | Sql): Sql {
  if (isPostgres) return sql`clock_timestamp() + make_interval(secs => ${seconds})`;
  const offset =
    typeof seconds === 'number'
      ? sql`${`${seconds < 0 ? '' : '+'}${seconds} seconds`}`
      : sql`'+' || (${seconds}) || ' seconds'`;
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ${offset})`;
}

/** The smallest of some values. */
export function least(...values: Sql[]): Sql {
  return sql`${raw(isPostgres ? 'least' : 'min')}(${join(values)})`;
}

/** The greatest of some values. */
export function greatest(...values: Sql[]): Sql {
  return sql`${raw(isPostgres ? 'greatest' : 'max')}(${join(values)})`;
}

/** After a parameter that holds the text of a JSON value. */
export const jsonCast: Sql = isPostgres ? sql`::jsonb` : empty;

/**
 * Rows that are handed to a statement as one parameter, however many they are, to be joined as a table: `FROM ${given('told', { id: 'bigint' },
 * rows)}`.
 */
export function recordset(
  name: string,
  columns: Readonly<Record<string, 'bigint' | 'text' | 'jsonb'>>,
  rows: readonly object[],
): Sql {
  const names = Object.keys(columns);
  if (isPostgres) {
    const typed = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
    return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS ${raw(`${name}(${typed.join(', ')})`)}`;
  }
  const read = names.map((column) => `value ${columns[column] === 'jsonb' ? '->' : '->>'} '${column}' AS ${column}`);
  return sql`(SELECT ${raw(read.join(', '))} FROM json_each(${JSON.stringify(rows)})) AS ${raw(name)}`;
}

/** The condition that a column has one of some values, however many they are, as one parameter. */
export function among(column: Sql, values: readonly (number | string)[]): Sql {
  if (isPostgres) return sql`${column} = ANY(${values})`;
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

/** The condition that a key is among those that a query finds, however few of the table's rows these are. */
export function isAmong(key: Sql, query: Sql): Sql {
  // PostgreSQL fetches the rows of an array by the index, where IN is a join that it may plan otherwise.
  return isPostgres ? sql`${key} = ANY (ARRAY(${query}))` : sql`${key} IN (${query})`;
}

/** A JSON column as the driver hands it over (SQLite: its text) as the value that was stored. */
export function json<T>(value: unknown): T {
  return (typeof value === 'string' ? JSON.parse(value) : value) as T;
}

/** A timestamp column as the driver hands it over as ISO 8601 in UTC, with milliseconds. */
export function timestamp(value: unknown): string {
  return value instanceof Date ? value.toISOString() : (value as string);
}
