import sql, { type Sql, join, raw } from 'sql-template-tag';
import { asJson, isPostgres } from '../../database/dialect.js';
import { textOf } from '../../metadata/client-values.js';
import { exactNumber } from '../../metadata/json-number.js';
import { isJsonObject } from '../../metadata/metadata.js';
import { type Filter, FilterError, and } from './filter.js';

/** An array's index, as a key: what both databases read as one, and no more than that. */
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** As many conditions as either database takes in one statement without trouble. */
const MOST_LEAVES = 200;

/** As deep as a filter may reach. */
const MAX_DEPTH = 32;

/**
 * Filters on what a JSON column holds at a path: `q[metadata][a][b]=x`, `q[metadata][list][0]=x`. `5` finds both 5 and
 * "5", `5.0` finds 5; a filter without a value finds rows where nothing, or null, stands there. A key may be any text.
 */
export function jsonFilter(column: string): Filter {
  return {
    schema: { type: 'object', additionalProperties: true, example: { gender: 'f' } },
    condition: (value, name) => {
      const found = leaves(value, [name]);
      if (found.length > MOST_LEAVES) throw new FilterError(name, `has more than ${MOST_LEAVES} conditions`);
      return and(found.map((leaf) => leafCondition(raw(column), leaf)));
    },
  };
}

interface Leaf {
  path: string[];
  /** Null: nothing, or null, stands at the path. */
  text: string | null;
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
  const found = sql`${valueAt(column, path)} IN (${join(candidates.map((candidate) => sql`${candidate}${asJson}`))})`;
  if (isPostgres) return found;
  // SQLite has no index on what stands in JSON; but what is nowhere in its text need not be looked for in its structure.
  const mentioned = candidates.map((candidate) => sql`instr(${column}, ${candidate}) > 0`);
  return sql`((${join(mentioned, ' OR ')}) AND ${found})`;
}

function isAbsent(column: Sql, path: string[]): Sql {
  const found = valueAt(column, path);
  const nothing = isPostgres ? sql`'null'::jsonb` : sql`'null'`;
  return sql`(${found} IS NULL OR ${found} = ${nothing})`;
}

/**
 * The JSON values that a text finds: the string, and the boolean or the number that it writes. Numbers are compared as
 * numbers, `30.0` with 30; a text that a double cannot hold is no number. JSON.stringify spells numbers as String does,
 * so a candidate reads as what was stored.
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
 * The JSON at `path`, as jsonb or as SQLite's JSON text, which repeats what was stored character by character; NULL when nothing is
 * there. A key that is an index reaches into objects and arrays, any other into objects only.
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

function nest(path: string[], leaf: string): string {
  return path.reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, leaf);
}
