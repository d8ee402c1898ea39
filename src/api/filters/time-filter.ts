import type { DateTime } from 'luxon';
import sql, { type Sql, raw } from 'sql-template-tag';
import { type Filter, type Filters, FilterError } from './filter.js';
import { type Span, readTime } from './read-time.js';

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const comparisons = {
  before: (column: Sql, { start }: Span) => sql`${column} < ${text(start)}`,
  or_before: (column: Sql, { start, end }: Span) =>
    end ? sql`${column} < ${text(end)}` : sql`${column} <= ${text(start)}`,
  after: (column: Sql, { start, end }: Span) =>
    end ? sql`${column} >= ${text(end)}` : sql`${column} > ${text(start)}`,
  or_after: (column: Sql, { start }: Span) => sql`${column} >= ${text(start)}`,
};

/**
 * The four filters `<attribute>_before`, `_or_before`, `_after`, `_or_after` on a timestamp. They take an ISO 8601 timestamp
 * (no zone: UTC), or a date, which means that whole day in UTC.
 */
export function timeFilters(attribute: string, column: string): Filters {
  return Object.fromEntries(
    Object.entries(comparisons).map(([name, compare]): [string, Filter] => [
      `${attribute}_${name}`,
      {
        schema: { type: 'string', example: '2017-11-29' },
        condition: (value, filter) => compare(raw(column), readSpan(value, filter)),
      },
    ]),
  );
}

function readSpan(value: unknown, name: string): Span {
  const span = typeof value === 'string' ? readTime(value) : undefined;
  if (!span) throw new FilterError(name, 'must be an ISO 8601 date or timestamp');
  return span;
}

/** As SQLite stores it, where text is compared: beyond the year 9999 the form would change. */
function text(time: DateTime): string {
  return new Date(Math.min(time.toMillis(), LAST)).toISOString();
}
