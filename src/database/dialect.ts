import sql, { type Sql, empty, join, raw } from 'sql-template-tag';
import { readDatabase } from '../config/database.js';

/**
 * Whether this process uses PostgreSQL; otherwise it uses SQLite. It is fixed at the start, because the column types of
 * the entities depend on it.
 */
export const isPostgres = readDatabase(process.env).kind === 'postgres';

/** The current time of the database, with milliseconds. Leases and timestamps use no other clock. */
export const now: Sql = isPostgres ? sql`clock_timestamp()` : sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`;

/** The current time of the database in milliseconds since 1970. */
export const nowMilliseconds: Sql = isPostgres
  ? sql`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
  : sql`CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)`;

/** The clause that locks the rows that a query finds. It is empty on SQLite, where a transaction is the only writer. */
export function lockClause(
  clause:
    | 'FOR UPDATE'
    | 'FOR UPDATE SKIP LOCKED'
    | 'FOR UPDATE NOWAIT'
    | 'FOR NO KEY UPDATE'
    | 'FOR NO KEY UPDATE NOWAIT'
    | 'FOR NO KEY UPDATE SKIP LOCKED'
    | 'FOR SHARE'
    | 'FOR KEY SHARE'
    | 'FOR KEY SHARE OF contacts'
    | `FOR UPDATE OF ${string}`
    | `FOR NO KEY UPDATE OF ${string}`,
): Sql {
  return isPostgres ? raw(clause) : empty;
}

/**
 * A text column in a form that no index of PostgreSQL has. It is for conditions on rows that are found by a key: with
 * statistics that are a minute old, the planner may expect hardly any row with the value, fetch all rows that have it
 * by an index of the column, and compare each one with every key.
 */
export function notIndexed(column: string): Sql {
  return isPostgres ? sql`(${raw(column)} || '')` : raw(column);
}

/**
 * A timestamp column in a form that no index of PostgreSQL has, for the same reason as {@link notIndexed}. Null is
 * `infinity`. Unlike a sum, `coalesce` does not show the planner that the column is not null, as a partial index says.
 */
export function notIndexedTime(column: string): Sql {
  return isPostgres ? sql`coalesce(${raw(column)}, 'infinity')` : raw(column);
}

/**
 * The current time of the database plus a number of seconds.
 *
 * @param seconds a number, which may be negative, or an expression whose value is positive
 */
export function secondsFromNow(seconds: number | Sql): Sql {
  if (isPostgres) return sql`clock_timestamp() + make_interval(secs => ${seconds})`;
  const offset =
    typeof seconds === 'number'
      ? sql`${`${seconds < 0 ? '' : '+'}${seconds} seconds`}`
      : sql`'+' || (${seconds}) || ' seconds'`;
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ${offset})`;
}

/** A timestamp in milliseconds since 1970, as a whole number. */
export function millisecondsOf(time: Sql): Sql {
  return isPostgres
    ? sql`floor(extract(epoch FROM ${time}) * 1000)::bigint`
    : sql`CAST(round(unixepoch(${time}, 'subsec') * 1000) AS INTEGER)`;
}

/** The smallest of several values. */
export function least(...values: Sql[]): Sql {
  return sql`${raw(isPostgres ? 'least' : 'min')}(${join(values)})`;
}

/** The greatest of several values. */
export function greatest(...values: Sql[]): Sql {
  return sql`${raw(isPostgres ? 'greatest' : 'max')}(${join(values)})`;
}

/**
 * The SQL of a given time as a value of a timestamp column, for `Transaction.insert` and `update`: TypeORM would
 * write another format to SQLite.
 *
 * @param time ISO 8601 in UTC, with milliseconds
 */
export function timestampText(time: string): string {
  return `'${new Date(time).toISOString()}'`;
}

/** The cast that follows a parameter with the text of a JSON value. */
export const jsonCast: Sql = isPostgres ? sql`::jsonb` : empty;

/**
 * Rows as a table that a statement can join: `FROM ${recordset('input', { id: 'bigint' }, rows)}`. They are one
 * parameter, whatever their number.
 *
 * @param name the alias of the table
 * @param columns the columns of the table, with their types. Other keys of the rows are ignored
 */
export function recordset(
  name: string,
  columns: Readonly<Record<string, 'bigint' | 'text' | 'jsonb' | 'timestamptz'>>,
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

/**
 * The rows of a query as one JSON array, in any order: `jsonArrays([column], 'FROM …')`. Each row is an array of the
 * values. Without rows, the result is empty or NULL. As a subquery of a SELECT list, it finds its rows by an index,
 * whatever the statistics of PostgreSQL are.
 *
 * @param values the values of a row
 * @param from the query, from FROM on
 */
export function jsonArrays(values: readonly Sql[], from: Sql): Sql {
  return isPostgres
    ? sql`(SELECT jsonb_agg(jsonb_build_array(${join([...values])})) ${from})`
    : sql`(SELECT json_group_array(json_array(${join([...values])})) ${from})`;
}

/** The condition that a column has one of several values. They are one parameter, whatever their number. */
export function inList(column: Sql, values: readonly (number | string)[]): Sql {
  if (isPostgres) return sql`${column} = ANY(${values})`;
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

/** The condition that an indexed column has one of the values that a query returns. */
export function inSubquery(key: Sql, query: Sql): Sql {
  // PostgreSQL always looks up an array in the index. With IN, it may choose a join that reads the whole table.
  return isPostgres ? sql`${key} = ANY (ARRAY(${query}))` : sql`${key} IN (${query})`;
}

/** @returns the value of a JSON column. The driver of SQLite returns its text, that of PostgreSQL the value */
export function parseJson<T>(value: unknown): T {
  return (typeof value === 'string' ? JSON.parse(value) : value) as T;
}

/**
 * @returns the value of a timestamp column as ISO 8601 in UTC, with milliseconds. The driver of SQLite returns it so,
 *   that of PostgreSQL returns a `Date`
 */
export function toIsoTimestamp(value: unknown): string {
  return value instanceof Date ? value.toISOString() : (value as string);
}
