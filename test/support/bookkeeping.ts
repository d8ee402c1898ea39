import { expect } from 'vitest';
import {
  type ColumnRule,
  type PhoneCallStatus,
  bookkeepingColumns,
  phoneCallBookkeeping,
  phoneCallStatuses,
} from '../../src/phone-calls/phone-call.machine.js';
import type { Installation } from './installation.js';

const violates: Partial<Record<ColumnRule, (column: string) => string>> = {
  null: (column) => `${column} IS NOT NULL`,
  zero: (column) => `${column} <> 0`,
  set: (column) => `${column} IS NULL`,
};

/** A queued call is claimed with all of its claim, or not at all. */
const halfClaimed = `(lease_token IS NULL) <> (dialled_at IS NULL) OR lease_token IS NOT NULL AND leased_until IS NULL`;

function violationsIn(status: PhoneCallStatus): string {
  const rules = phoneCallBookkeeping[status];
  const conditions = bookkeepingColumns.flatMap((column) => violates[rules[column]]?.(column) ?? []);
  if (status === 'queued') conditions.push(halfClaimed);
  return `status = '${status}' AND (${conditions.join(' OR ')})`;
}

/** A statement that returns the phone calls whose columns are not what their status declares. */
export const BOOKKEEPING_VIOLATIONS = `SELECT id, status, ${bookkeepingColumns.join(', ')} FROM phone_calls
  WHERE ${phoneCallStatuses.map(violationsIn).join(' OR ')}`;

/** Checks that each phone call looks as its status declares. */
export async function expectConsistentBookkeeping(installation: Installation): Promise<void> {
  expect(await installation.query(BOOKKEEPING_VIOLATIONS)).toEqual([]);
}
