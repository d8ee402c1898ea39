import sql, { type Sql, join } from 'sql-template-tag';
import { jsonCast, isPostgres } from '../../database/dialect.js';
import { textOf } from '../../metadata/client-values.js';
import { exactNumber } from '../../metadata/json-number.js';
import { isJsonObject } from '../../metadata/metadata.js';
import { type ColumnFilter, FilterError, and } from './filter.js';

/** A key that both databases accept as the index of an array. */
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** The most conditions of one filter. Both databases evaluate this many quickly. */
const MAX_CONDITIONS = 200;

/** The most keys in the path of a value. */
export const MAX_DEPTH = 32;

/**
 * Matches the value at a path of a JSON column: `q[metadata][a][b]=x`, `q[metadata][list][0]=x`. `5` matches both 5 and
 * "5", `5.0` matches 5. A filter without a value matches null and a missing key. A key may be any text.
 */
export const jsonFilter: ColumnFilter = ({ name, column }) => ({
  [name]: {
    schema: { type: 'object', additionalProperties: true, example: { gender: 'f' } },
    condition: (value) => conditionAtPaths(value, name, (leaf) => leafCondition(column, leaf)),
  },
});

/** A condition of a filter on JSON: a path, and the text that the client wrote. */
export interface Leaf {
  path: string[];
  /** Null matches null and a missing key. */
  text: string | null;
}

/**
 * @param value the filter of a client: an object whose nested keys are paths
 * @returns the condition that all leaves of a filter match
 * @throws FilterError when the filter is no such object, or has too many leaves
 */
export function conditionAtPaths(value: unknown, name: string, conditionOf: (leaf: Leaf) => Sql): Sql {
  const found = leaves(value, [name]);
  if (found.length > MAX_CONDITIONS) throw new FilterError(name, `has more than ${MAX_CONDITIONS} conditions`);
  return and(found.map((leaf) => conditionOf(leaf)));
}

function leaves(value: unknown, path: string[]): Leaf[] {
  const shown = path.map((key, depth) => (depth === 0 ? key : `[${key}]`)).join('');
  if (path.length > MAX_DEPTH) throw new FilterError(path[0] ?? '', `reaches deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) throw new FilterError(shown, 'must name a key');
  if (isJsonObject(value)) {
    const entries = Object.entries(value);
    if (entries.length === 0) throw new FilterError(shown, 'must name a key');
    return entries.flatMap(([key, nested]) => leaves(nested, [...path, key]));
  }
  if (path.length === 1) throw new FilterError(shown, 'must be an object');
  if (value === null) return [{ path: path.slice(1), text: null }];
  const text = textOf(value);
  if (text === undefined) throw new FilterError(shown, 'cannot be read');
  return [{ path: path.slice(1), text }];
}

function leafCondition(column: Sql, { path, text }: Leaf): Sql {
  if (text === null) return isAbsent(column, path);
  const candidates = jsonWithText(text);
  // Containment means the same as equality at a path of object keys, and can use the GIN index.
  if (isPostgres && !path.some((key) => INDEX.test(key))) {
    return sql`(${join(
      candidates.map((candidate) => sql`${column} @> ${nest(path, candidate)}::jsonb`),
      ' OR ',
    )})`;
  }
  const found = sql`${valueAt(column, path)} IN (${join(candidates.map((candidate) => sql`${candidate}${jsonCast}`))})`;
  if (isPostgres) return found;
  // SQLite has no index on JSON values. The cheap search in the text avoids parsing JSON without the value.
  const mentioned = candidates.map((candidate) => sql`instr(${column}, ${candidate}) > 0`);
  return sql`((${join(mentioned, ' OR ')}) AND ${found})`;
}

function isAbsent(column: Sql, path: string[]): Sql {
  const found = valueAt(column, path);
  const nothing = isPostgres ? sql`'null'::jsonb` : sql`'null'`;
  return sql`(${found} IS NULL OR ${found} = ${nothing})`;
}

/**
 * Numbers are compared as numbers: `30.0` equals 30. A text that a double cannot hold exactly is not a number.
 * JSON.stringify formats numbers as String does, so a candidate has the format that was stored.
 * @returns the JSON values that a text matches: the string, and the boolean or the number that it spells
 */
function jsonWithText(text: string): string[] {
  const number = exactNumber(text);
  return [
    JSON.stringify(text),
    ...(text === 'true' || text === 'false' ? [text] : []),
    ...(number === undefined ? [] : [String(number)]),
  ];
}

/**
 * A key that is an index works on objects and arrays, any other key on objects only.
 * @returns the JSON at `path`, as jsonb or as SQLite's JSON text, which is exactly what was stored; NULL when there is
 *   none
 */
function valueAt(column: Sql, path: string[]): Sql {
  return path.reduce((found, key) => {
    if (isPostgres) {
      return INDEX.test(key) ? sql`(${found} #> ARRAY[${key}]::text[])` : sql`(${found} -> ${key}::text)`;
    }
    const label = `$.${JSON.stringify(key)}`;
    if (!INDEX.test(key)) return sql`(${found} -> ${label})`;
    return sql`(SELECT coalesce(at.json -> ${label}, at.json -> ${`$[${key}]`}) FROM (SELECT ${found} AS json) AS at)`;
  }, column);
}

/** The SQL of the text of the value at a path of a JSON column. It is NULL if there is no value, or it is null. */
export function textAt(column: Sql, path: string[]): Sql {
  if (isPostgres) return sql`(${valueAt(column, path)} #>> '{}')`;
  // `->>` alone would read true as 1, and format large numbers differently.
  const textIn = (json: Sql, label: string) => sql`CASE json_type(${json}, ${label})
    WHEN 'text' THEN ${json} ->> ${label} WHEN 'null' THEN NULL ELSE ${json} -> ${label} END`;
  if (!path.some((key) => INDEX.test(key))) {
    return textIn(column, `$.${path.map((key) => JSON.stringify(key)).join('.')}`);
  }
  return sql`(SELECT ${textIn(sql`at.json`, '$')} FROM (SELECT ${valueAt(column, path)} AS json) AS at)`;
}

function nest(path: string[], leaf: string): string {
  return path.reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, leaf);
}
