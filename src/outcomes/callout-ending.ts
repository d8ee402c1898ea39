import sql from 'sql-template-tag';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { now } from '../database/dialect.js';
import type { Outcome } from './outcome-names.js';

/** The outcomes of people who were never called, and whose callout calls nobody any more. */
export type CalloutEnding = Extract<Outcome, 'canceled' | 'expired'>;

/** The condition that the time of a row of `callouts` is over, or was when the callout completed; null for never. */
export const isExpired = sql`callouts.expires_at <= coalesce(callouts.completed_at, ${now})`;

/** What the ending of a callout depends on, as the driver returns it. */
export interface EndingFacts {
  callout_status: CalloutStatus;
  /** {@link isExpired} */
  is_expired: boolean | number | null;
}

/**
 * @returns what becomes of people who were never called; undefined while the callout may call them. A completed callout
 *   calls nobody before it is resumed
 */
export function endingOf({ callout_status: status, is_expired }: EndingFacts): CalloutEnding | undefined {
  if (status !== 'stopped' && is_expired) return 'expired';
  return status === 'stopped' || status === 'completed' ? 'canceled' : undefined;
}
