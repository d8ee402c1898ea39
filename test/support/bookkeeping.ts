import { expect } from 'vitest';
import {
  type ColumnRule,
  type PhoneCallStatus,
  bookkeepingColumns,
  phoneCallBookkeeping,
  phoneCallStatuses,
} from '../../src/phone-calls/phone-call.machine.js';
import { findWrongCoverage } from './coverage.js';
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
 * Asserts that the columns of each phone call follow the rules that its status declares, that the outcome of each
 * participation is the one that its phone calls give, and that the coverage of each callout counts these outcomes.
 */
export async function expectConsistentBookkeeping(installation: Installation): Promise<void> {
  expect(await installation.query(BOOKKEEPING_VIOLATIONS)).toEqual([]);
  expect(await findWrongOutcomes(installation)).toEqual([]);
  const api = await installation.runningApi();
  expect(await findWrongCoverage(installation, (path) => api.get(path))).toEqual([]);
}
