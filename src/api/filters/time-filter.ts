import type { DateTime } from 'luxon';
import sql, { type Sql } from 'sql-template-tag';
import { type ColumnFilter, type Filter, FilterError } from './filter.js';
import { type TimeSpan, parseTime } from './parse-time.js';

/** The latest time with a year of four digits. */
const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const comparisons = {
  before: (column: Sql, { start }: TimeSpan) => sql`${column} < ${formatTime(start)}`,
  or_before: (column: Sql, { start, end }: TimeSpan) =>
    end ? sql`${column} < ${formatTime(end)}` : sql`${column} <= ${formatTime(start)}`,
  after: (column: Sql, { start, end }: TimeSpan) =>
    end ? sql`${column} >= ${formatTime(end)}` : sql`${column} > ${formatTime(start)}`,
  or_after: (column: Sql, { start }: TimeSpan) => sql`${column} >= ${formatTime(start)}`,
};

/**
 * The four filters `<name>_before`, `_or_before`, `_after` and `_or_after` of a timestamp. They take an ISO 8601
 * timestamp, in UTC unless it has a zone, or a date, which is the whole day in UTC.
 */
export const timeFilters: ColumnFilter = ({ name, column }) =>
  Object.fromEntries(
    Object.entries(comparisons).map(([comparison, compare]): [string, Filter] => {
      const filter = `${name}_${comparison}`;
      return [
        filter,
        {
          schema: { type: 'string', example: '2017-11-29' },
          condition: (value) => compare(column, parseSpan(value, filter)),
        },
      ];
    }),
  );

function parseSpan(value: unknown, name: string): TimeSpan {
  const span = typeof value === 'string' ? parseTime(value) : undefined;
  if (!span) throw new FilterError(name, 'must be an ISO 8601 date or timestamp');
  return span;
}

/** @returns the format that SQLite stores and compares as text. Years after 9999 would have another format. */
function formatTime(time: DateTime): string {
  return new Date(Math.min(time.toMillis(), MAX_TIME)).toISOString();
}
