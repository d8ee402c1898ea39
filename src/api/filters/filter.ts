import type { ApiQueryOptions } from '@nestjs/swagger';
import sql, { type Sql, empty, join } from 'sql-template-tag';
import { isJsonObject } from '../../metadata/metadata.js';

/** A filter that does not exist, or whose value cannot be read. `name` is the filter as the client wrote it. */
export class FilterError extends Error {
  constructor(
    readonly filter: string,
    readonly reason: string,
  ) {
    super(`${filter} ${reason}`);
  }
}

/** OpenAPI's description of a value. */
type Schema = Extract<ApiQueryOptions, { schema: unknown }>['schema'];

/** One filter of a resource: its description in /docs, and its condition in SQL. */
export interface Filter {
  schema: Schema;
  /** @throws FilterError when the value cannot be read. */
  condition(value: unknown): Sql;
}

/** The filters of a resource, by name. */
export type Filters = Readonly<Record<string, Filter>>;

/** What clients filter by: a column, or another SQL expression. */
interface FilteredColumn {
  /** The name that clients use. */
  name: string;
  column: Sql;
  nullable: boolean;
}

/** Makes the filters of a column: one of its name, or several whose names begin with it. */
export type ColumnFilter = (column: FilteredColumn) => Filters;

/** The condition that is true for every row. */
export const matchAll: Sql = sql`TRUE`;

/**
 * Keys and values are parameters of the statement; no part of them becomes SQL.
 * @param given the filters of a client, by name; undefined matches every row
 * @returns the condition that all given filters match
 * @throws FilterError when a filter does not exist or cannot be read: a mistyped filter must never mean "everyone"
 */
export function conditionOf(filters: Filters, given: unknown): Sql {
  if (given === undefined) return matchAll;
  if (!isJsonObject(given)) throw new FilterError('q', 'must be an object');
  const conditions = Object.entries(given).map(([name, value]) => {
    const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
    if (!filter) throw new FilterError(name, 'is not a filter of this list');
    return filter.condition(value);
  });
  return and(conditions);
}

/** @returns the condition that all `conditions` are true; `matchAll` when there are none */
export function and(conditions: Sql[]): Sql {
  const limiting = conditions.filter((condition) => condition !== matchAll);
  return limiting.length > 0 ? sql`(${join(limiting, ' AND ')})` : matchAll;
}

/**
 * @returns the WHERE clause of a condition; nothing for `matchAll`, because databases count a table faster without one
 */
export function where(condition: Sql): Sql {
  return condition === matchAll ? empty : sql`WHERE ${condition}`;
}

/** Also matches the rows for which `alternative` is true. */
export function or(alternative: Sql, filter: ColumnFilter): ColumnFilter {
  const widened = ({ schema, condition }: Filter): Filter => ({
    schema,
    condition: (value) => sql`(${alternative} OR ${condition(value)})`,
  });
  return (column) =>
    Object.fromEntries(Object.entries(filter(column)).map(([name, narrow]) => [name, widened(narrow)]));
}
