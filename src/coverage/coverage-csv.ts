import { stringify } from 'csv-stringify/sync';
import { outcomeGroups } from '../outcomes/outcome-names.js';
import type { Coverage, CoverageCounts } from './coverage.dto.js';

/** The columns after `value`: the total, and each group of outcomes followed by its outcomes. */
const countColumns = ['total', ...Object.entries(outcomeGroups).flatMap(([group, outcomes]) => [group, ...outcomes])];

/**
 * Writes a report as a table: RFC 4180, with a row for each group, or one row for the whole callout without groups. A
 * value that a spreadsheet would read as a formula has an apostrophe before it.
 */
export function coverageCsv(coverage: Coverage): string {
  const rows = coverage.groups?.map((group) => [group.value, ...countsOf(group)]) ?? [[null, ...countsOf(coverage)]];
  return stringify([['value', ...countColumns], ...rows], { escape_formulas: true, record_delimiter: 'windows' });
}

/** @returns the counts in the order of {@link countColumns} */
function countsOf(counts: CoverageCounts): number[] {
  const { total, reached, not_reached, not_called, open } = counts;
  const groups = [reached, not_reached, not_called, open];
  return [total, ...groups.flatMap((group) => Object.values(group) as number[])];
}
