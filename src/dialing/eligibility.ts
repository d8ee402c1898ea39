import sql, { type Sql, join } from 'sql-template-tag';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { INCLUDE_DO_NOT_CALL, optedOut } from '../contacts/opted-out.js';
import { isPostgres } from '../database/dialect.js';
import { isFree } from '../database/lease.js';
import type { Transaction } from '../database/transaction.js';
import { and, matchAll } from '../api/filters/filter.js';
import { TRUE_WORDS } from '../metadata/client-values.js';
import { normalizedTextAt } from '../metadata/normalized-text-at.js';
import { canMove, setClause } from '../phone-calls/phone-call-transitions.js';
import { MAX_DIAL_BACKOFF } from './dial-leases.js';

// Who may be dialed. Reservation, claim and cancellation all read these rules: a new one is added here, and nowhere
// else.

/** One reason why a queued call is not dialed, now or ever. */
interface DialingRule {
  /** The table whose row decides. */
  table: 'callouts' | 'phone_calls';
  /**
   * The condition under which calls are dialed now. It is part of the statements that find and claim calls, so it must
   * be cheap.
   */
  permits?: Sql;
  /** When calls are never dialed. It is checked on calls that were chosen, and on callouts that have queued calls. */
  cancels?: Cancellation;
}

interface Cancellation {
  /** The condition under which queued calls are canceled. */
  when: Sql;
  /** What a canceled call shows; null for nothing. */
  message: string | null;
}

const dialedStatuses: readonly CalloutStatus[] = ['initialized', 'running'];
const endingStatuses: readonly CalloutStatus[] = ['stopped'];

/** A paused callout holds its calls back. A stopped one cancels them. */
const calloutAllowsDialing: DialingRule = {
  table: 'callouts',
  permits: sql`callouts.status IN (${join([...dialedStatuses])})`,
  cancels: { when: sql`callouts.status IN (${join([...endingStatuses])})`, message: null },
};

/**
 * The contact is found by its key through a scalar subquery, whatever the planner expects of the table. EXISTS may
 * become a scan.
 */
const hasOptedOut = (condition: Sql): Sql =>
  sql`coalesce((SELECT ${optedOut} FROM contacts WHERE ${condition}), FALSE)`;

/** A batch operation that chose this call, or put its person into the callout, calls people who opted out as well. */
const includesOptedOut = sql`EXISTS (
  SELECT 1 FROM batch_operations WHERE batch_operations.id IN (
    phone_calls.create_batch_operation_id,
    phone_calls.queue_batch_operation_id,
    (SELECT callout_population_id FROM callout_participations WHERE callout_participations.id = phone_calls.callout_participation_id)
  ) AND ${normalizedTextAt('batch_operations.parameters', INCLUDE_DO_NOT_CALL)} IN (${join([...TRUE_WORDS])})
)`;

/** The contact of the call, or the contact who has its number, must not have opted out. */
const personHasNotOptedOut: DialingRule = {
  table: 'phone_calls',
  cancels: {
    when: sql`(
      (${hasOptedOut(sql`contacts.id = phone_calls.contact_id`)} OR ${hasOptedOut(sql`contacts.msisdn = phone_calls.msisdn`)})
      AND NOT ${includesOptedOut}
    )`,
    message: 'The person has asked for no more calls: nobody was called.',
  },
};

const rules: readonly DialingRule[] = [calloutAllowsDialing, personHasNotOptedOut];

const permitted = (of: DialingRule['table']): Sql =>
  and(rules.filter((rule) => rule.table === of).flatMap(({ permits }) => permits ?? []));

/** The condition that a row of `callouts` lets its calls be dialed now. */
export const calloutPermits: Sql = permitted('callouts');

const cancellations = (of: DialingRule['table']): Cancellation[] =>
  rules.filter((rule) => rule.table === of).flatMap(({ cancels }) => cancels ?? []);

/** When callouts cancel their queued calls. */
export const calloutCancellations: readonly Cancellation[] = cancellations('callouts');

const callCancellations = cancellations('phone_calls');

/**
 * The condition that a queued call waits for nothing: it is not reserved, not claimed, was not refused a moment ago,
 * and its own rules permit it.
 * Its callout is asked separately, by {@link calloutPermits}.
 */
export const isDue: Sql = and([
  sql`phone_calls.lease_token IS NULL`,
  isFree(sql`phone_calls.leased_until`, MAX_DIAL_BACKOFF),
  permitted('phone_calls'),
]);

/** The condition that a queued call which was reserved may still be dialed, by its own rules and its callout's. */
export const mayBeDialed: Sql = and([
  sql`(SELECT ${calloutPermits} FROM callouts WHERE callouts.id = phone_calls.callout_id)`,
  permitted('phone_calls'),
]);

/**
 * Locks what the rules of calls read until the transaction ends: nobody opts out between {@link cancelIneligible} and
 * the commit. On SQLite the
 * transaction is the only writer.
 */
export async function lockContacts(
  transaction: Transaction,
  calls: readonly { contact_id: number | null; msisdn: string }[],
): Promise<void> {
  if (!isPostgres || calls.length === 0) return;
  const ids = calls.map(({ contact_id }) => contact_id).filter((id) => id !== null);
  const numbers = calls.map(({ msisdn }) => msisdn);
  await transaction.query(
    sql`SELECT 1 FROM contacts WHERE id = ANY(${ids}) OR msisdn = ANY(${numbers}) ORDER BY id FOR SHARE`,
  );
}

/**
 * Cancels those of some queued calls which must never be dialed, by the rules of calls.
 * @returns the ids of the calls that were canceled
 */
export async function cancelIneligible(transaction: Transaction, ids: readonly number[]): Promise<Set<number>> {
  const canceled = new Set<number>();
  for (const { when, message } of callCancellations) {
    const rest = ids.filter((id) => !canceled.has(id));
    for (const id of await cancelCalls(transaction, rest, message, when)) canceled.add(id);
  }
  return canceled;
}

/**
 * Cancels queued calls.
 * @param condition what else must be true of them
 * @returns the ids of the calls that were canceled
 */
export async function cancelCalls(
  transaction: Transaction,
  ids: readonly number[],
  message: string | null,
  condition: Sql = matchAll,
): Promise<number[]> {
  if (ids.length === 0) return [];
  const rows = await transaction.query<{ id: number }>(sql`UPDATE phone_calls
      SET ${setClause('cancel', { lease_token: null, dialled_at: null, remote_error_message: message })}
      WHERE id IN (${join([...ids])}) AND ${canMove('cancel')} AND ${condition}
      RETURNING id`);
  return rows.map(({ id }) => id);
}
