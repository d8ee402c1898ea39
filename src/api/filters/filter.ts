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

/** One filter of a resource: how it is described to people, and what it asks of the database. */
export interface Filter {
  schema: Schema;
  /** @throws FilterError when the value cannot be read. */
  condition(value: unknown, name: string): Sql;
}

/** The filters of a resource, by name. */
export type Filters = Readonly<Record<string, Filter>>;

/** Holds for every row. */
export const matchAll: Sql = sql`TRUE`;

/**
 * The condition that all of the given filters hold. No filter: everything. Parameters travel beside the statement; no part of a
 * key or a value ever becomes SQL.
 * @throws FilterError when one does not exist or cannot be read: a mistyped filter must never mean "everyone"
 */
export function conditionOf(filters: Filters, given: unknown): Sql {
  if (given === undefined) return matchAll;
  if (!isJsonObject(given)) throw new FilterError('q', 'must be an object');
  const conditions = Object.entries(given).map(([name, value]) => {
    const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
    if (!filter) throw new FilterError(name, 'is not a filter of this list');
    return filter.condition(value, name);
  });
  return and(conditions);
}

/** The condition that each of `conditions` holds. */
export function and(conditions: Sql[]): Sql {
  const limiting = conditions.filter((condition) => condition !== matchAll);
  return limiting.length > 0 ? sql`(${join(limiting, ' AND ')})` : matchAll;
}

/** The clause that leaves the rows for which `condition` holds; nothing where that is everything, which a database counts faster so. */
export function where(condition: Sql): Sql {
  return condition === matchAll ? empty : sql`WHERE ${condition}`;
}

/** A filter that also leaves the rows for which `alternative` holds. */
export function or(alternative: Sql, { schema, condition }: Filter): Filter {
  return { schema, condition: (value, name) => sql`(${alternative} OR ${condition(value, name)})` };
}
