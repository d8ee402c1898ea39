import sql, { type Sql } from 'sql-template-tag';
import { messages } from '../../errors/errors.js';
import { type ColumnFilter, type Filter, FilterError } from './filter.js';
import { type TimeSpan, formatTime, parseTime } from './parse-time.js';

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
  if (!span) throw new FilterError(name, messages.mustBeTime);
  return span;
}
