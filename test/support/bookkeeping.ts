import { expect } from 'vitest';
import {
  type ColumnRule,
  type PhoneCallStatus,
  bookkeepingColumns,
  phoneCallBookkeeping,
  phoneCallStatuses,
} from '../../src/phone-calls/phone-call.machine.js';
import { outcomes } from '../../src/outcomes/outcome-names.js';
import type { Api } from './api.js';
import type { Installation } from './installation.js';
import { findWrongOutcomes } from './outcomes.js';

/** For each rule, the SQL condition of a column that breaks it. */
const violates: Partial<Record<ColumnRule, (column: string) => string>> = {
  null: (column) => `${column} IS NOT NULL`,
  zero: (column) => `${column} <> 0`,
  set: (column) => `${column} IS NULL`,
};

/** A queued call has either all columns of a claim or none. */
const halfClaimed = `(lease_token IS NULL) <> (dialled_at IS NULL) OR lease_token IS NOT NULL AND leased_until IS NULL`;

function violationsIn(status: PhoneCallStatus): string {
  const rules = phoneCallBookkeeping[status];
  const conditions = bookkeepingColumns.flatMap((column) => violates[rules[column]]?.(column) ?? []);
  if (status === 'queued') conditions.push(halfClaimed);
  return `status = '${status}' AND (${conditions.join(' OR ')})`;
}

/** Selects the phone calls whose columns break the rules that their status declares. */
export const BOOKKEEPING_VIOLATIONS = `SELECT id, status, ${bookkeepingColumns.join(', ')} FROM phone_calls
  WHERE ${phoneCallStatuses.map(violationsIn).join(' OR ')}`;

/**
 * Asserts that the columns of each phone call follow the rules that its status declares, and that the outcome of each
 * participation is the one that its phone calls give.
 *
 * @param api also asserts that the coverage of each callout counts these outcomes. No call may be under way
 */
export async function expectConsistentBookkeeping(installation: Installation, api?: Api): Promise<void> {
  expect(await installation.query(BOOKKEEPING_VIOLATIONS)).toEqual([]);
  expect(await findWrongOutcomes(installation)).toEqual([]);
  if (api) await expectCoverageOfRows(installation, api);
}

async function expectCoverageOfRows(installation: Installation, api: Api): Promise<void> {
  const counts = outcomes.map((outcome) => `sum(CASE outcome WHEN '${outcome}' THEN 1 ELSE 0 END) AS ${outcome}`);
  const rows = await installation.query<Record<string, string | number | null>>(
    `SELECT callouts.id, count(participations.id) AS total, ${counts.join()} FROM callouts
      LEFT JOIN callout_participations AS participations ON participations.callout_id = callouts.id GROUP BY callouts.id`,
  );
  for (const { id, ...counted } of rows) {
    const { body } = await api.get(`/api/callouts/${id}/coverage`);
    const { total, reached, not_reached, not_called, open } = body;
    const shown = { ...reached, ...not_reached, ...not_called, ...open, total };
    const expected = Object.entries(counted).map(([name, count]) => [name, Number(count)]);
    expect(shown, `the coverage of callout ${id}`).toEqual(Object.fromEntries(expected));
  }
}
