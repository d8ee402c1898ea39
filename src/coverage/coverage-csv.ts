import { stringify } from 'csv-stringify/sync';
import { outcomeGroups } from '../outcomes/outcome-names.js';
import type { Coverage, CoverageCounts } from './coverage.dto.js';

/** The columns after `value`: the total, and each group of outcomes followed by its outcomes. */
const countColumns = ['total', ...Object.entries(outcomeGroups).flatMap(([group, outcomes]) => [group, ...outcomes])];

/** The beginning of a formula, also with the full-width characters of East Asian keyboards. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;

const PHONE_NUMBER = /^\+\d{7,15}$/;

/**
 * Writes a report as a table: RFC 4180 with a byte order mark, and a row for each group, or one row for the whole
 * callout without groups. Texts are quoted, so that an empty one differs from no value. A value that a spreadsheet
 * would read as a formula has an apostrophe before it, except a phone number.
 */
export function coverageCsv(coverage: Coverage): string {
  const rows = coverage.groups?.map((group) => [defused(group.value), ...countsOf(group)]);
  const table = [['value', ...countColumns], ...(rows ?? [[null, ...countsOf(coverage)]])];
  return stringify(table, { bom: true, quoted_string: true, record_delimiter: 'windows' });
}

function defused(value: string | null): string | null {
  return value !== null && FORMULA.test(value) && !PHONE_NUMBER.test(value) ? `'${value}` : value;
}

/** @returns the counts in the order of {@link countColumns} */
function countsOf(counts: CoverageCounts): number[] {
  const { total, reached, not_reached, not_called, open } = counts;
  const groups = [reached, not_reached, not_called, open];
  return [total, ...groups.flatMap((group) => Object.values(group) as number[])];
}
