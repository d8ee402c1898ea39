import { DateTime } from 'luxon';
import sql, { type Sql, raw } from 'sql-template-tag';
import { type Filter, type Filters, FilterError } from './filter.js';

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

interface Span {
  start: DateTime;
  /** Exclusive. Absent for an instant, which has no length. */
  end?: DateTime;
}

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
  const given = typeof value === 'string' ? value.trim() : '';
  // In a URL an offset's plus sign arrives as a space unless it was encoded.
  const [, date, time, zone = 'Z'] = INSTANT.exec(given.replace(/(:\d{2}(?:\.\d+)?) (\d{2}:?\d{2})$/, '$1+$2')) ?? [];
  const start = DateTime.fromISO(DAY.test(given) ? given : `${date}T${time}${zone}`, { zone: 'utc' });
  if (!start.isValid || start.year < 1) throw new FilterError(name, 'must be an ISO 8601 date or timestamp');
  return DAY.test(given) ? { start, end: start.plus({ days: 1 }) } : { start };
}

/** As SQLite stores it, where text is compared: beyond the year 9999 the form would change. */
function text(time: DateTime): string {
  return new Date(Math.min(time.toMillis(), LAST)).toISOString();
}
