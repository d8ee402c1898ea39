import sql, { type Sql, join, raw } from 'sql-template-tag';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { INCLUDE_DO_NOT_CALL, optedOut } from '../contacts/opted-out.js';
import { inList, isPostgres, notIndexed, now } from '../database/dialect.js';
import { isFree } from '../database/lease.js';
import type { Transaction } from '../database/transaction.js';
import { and, matchAll } from '../api/filters/filter.js';
import { TRUE_WORDS } from '../metadata/client-values.js';
import { normalizedTextAt } from '../metadata/normalized-text-at.js';
import { OPTED_OUT_MESSAGE } from '../outcomes/opted-out-message.js';
import { type PhoneCallStatus, awaitedStatuses, endedStatuses } from '../phone-calls/phone-call.machine.js';
import type { LockedCall } from '../phone-calls/lock-phone-calls.js';
import { movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import { MAX_DIAL_BACKOFF, RESERVATION_SECONDS } from './dial-leases.js';

// The rules that decide which calls may be dialed. Reservation, claim and cancellation all use them. Add new rules here
// only.

/** A rule that holds back or cancels queued calls. */
interface DialingRule {
  /** The table whose columns the rule reads. */
  table: 'callouts' | 'phone_calls';
  /**
   * The condition under which calls are dialed now. The statements that find and claim calls contain it: keep it cheap.
   */
  permits?: Sql;
  /** When calls are never dialed. It is checked for selected calls, and for callouts that have queued calls. */
  cancels?: Cancellation;
}

/** When queued calls are canceled, and with which message. */
interface Cancellation {
  /** The condition under which queued calls are canceled. */
  when: Sql;
  /** The `remote_error_message` of a canceled call; null for none. */
  message: string | null;
}

const dialedStatuses: readonly CalloutStatus[] = ['initialized', 'running'];

/** A paused or scheduled callout holds back its calls. A stopped one cancels them. */
const calloutAllowsDialing: DialingRule = {
  table: 'callouts',
  permits: sql`callouts.status IN (${join([...dialedStatuses])})`,
  cancels: { when: sql`callouts.status = 'stopped'`, message: null },
};

/** A completed callout calls nobody before it is resumed: a hand may have queued a call since. */
const calloutIsNotCompleted: DialingRule = {
  table: 'callouts',
  cancels: { when: sql`callouts.status = 'completed'`, message: 'The callout is completed: nobody was called.' },
};

/** An expired callout cancels its calls, whatever its status is. */
const calloutHasNotExpired: DialingRule = {
  table: 'callouts',
  permits: sql`(callouts.expires_at IS NULL OR callouts.expires_at > ${now})`,
  cancels: {
    when: sql`callouts.expires_at <= ${now}`,
    message: 'The callout has expired: nobody was called.',
  },
};

/** A scalar subquery always finds the contact by its key. The planner may turn EXISTS into a scan of all contacts. */
const hasOptedOut = (condition: Sql): Sql =>
  sql`coalesce((SELECT ${optedOut} FROM contacts WHERE ${condition}), FALSE)`;

/** The batch operation that made or queued this call, or populated the callout, includes people who opted out. */
const includesOptedOut = sql`EXISTS (
  SELECT 1 FROM batch_operations WHERE batch_operations.id IN (
    phone_calls.create_batch_operation_id,
    phone_calls.queue_batch_operation_id,
    (SELECT callout_population_id FROM callout_participations
      WHERE callout_participations.id = phone_calls.callout_participation_id)
  ) AND ${normalizedTextAt('batch_operations.parameters', INCLUDE_DO_NOT_CALL)} IN (${join([...TRUE_WORDS])})
)`;

/** Neither the contact of the call nor the contact with its number has opted out. */
const personHasNotOptedOut: DialingRule = {
  table: 'phone_calls',
  cancels: {
    when: sql`(
      (${hasOptedOut(sql`contacts.id = phone_calls.contact_id`)}
        OR ${hasOptedOut(sql`contacts.msisdn = phone_calls.msisdn`)})
      AND NOT ${includesOptedOut}
    )`,
    message: OPTED_OUT_MESSAGE,
  },
};

const participationOf = (call: 'phone_calls' | 'waiting', column: Sql): Sql =>
  sql`(SELECT ${column} FROM callout_participations
    WHERE callout_participations.id = ${raw(call)}.callout_participation_id)`;

/** The condition that the gate does not hold the person of a call back (dial-gate.ts). */
export const isNotHeldBack = (call: 'phone_calls' | 'waiting'): Sql =>
  sql`coalesce(${participationOf(call, sql`next_call_at`)} <= ${now}, TRUE)`;

const personIsNotHeldBack: DialingRule = { table: 'phone_calls', permits: isNotHeldBack('phone_calls') };

/** The statuses of a call that the provider has. An uncertain one keeps attempts back, but not a hand. */
const underWay: readonly PhoneCallStatus[] = awaitedStatuses.filter((status) => status !== 'uncertain');
const openStatuses: readonly PhoneCallStatus[] = ['queued', ...awaitedStatuses];
const resultStatuses: readonly PhoneCallStatus[] = endedStatuses.filter((status) => status !== 'errored');

/**
 * The condition that an attempt of a plan and another call never ring the same person together: a hand or a batch
 * operation may have queued a call at the moment at which the attempt was made. The attempt waits until no other call
 * is open. The other call waits only if the attempt is claimed or under way.
 */
const isAlone = (call: 'phone_calls' | 'waiting'): Sql => sql`NOT EXISTS (
    SELECT 1 FROM phone_calls AS other
    WHERE other.callout_participation_id = ${raw(call)}.callout_participation_id AND other.id <> ${raw(call)}.id
      AND (${raw(call)}.attempt IS NOT NULL AND ${notIndexed('other.status')} IN (${join([...openStatuses])})
        OR other.attempt IS NOT NULL AND (${notIndexed('other.status')} IN (${join([...underWay])})
          OR ${notIndexed('other.status')} = 'queued' AND other.lease_token IS NOT NULL))
  )`;

/**
 * A hand or a batch operation has called the person since the attempt was made: the plan decides anew, and makes the
 * next attempt after the pause for that result. A call that the provider refused does not count.
 */
const wasCalledSince = sql`(phone_calls.attempt IS NOT NULL AND EXISTS (
  SELECT 1 FROM phone_calls AS other
  WHERE other.callout_participation_id = phone_calls.callout_participation_id AND other.attempt IS NULL
    AND other.dialled_at >= phone_calls.created_at AND ${notIndexed('other.status')} IN (${join([...resultStatuses])})
))`;

const attemptIsAlone: DialingRule = {
  table: 'phone_calls',
  permits: isAlone('phone_calls'),
  cancels: { when: wasCalledSince, message: 'Another call was made to the person: nobody was called.' },
};

/** A person who calls in can confirm, too, and so can a client for the person. */
const personIsNotReached: DialingRule = {
  table: 'phone_calls',
  cancels: {
    when: sql`(phone_calls.attempt IS NOT NULL
      AND ${participationOf('phone_calls', sql`outcome`)} IN ('confirmed', 'answered'))`,
    message: 'The person was reached in another way: nobody was called.',
  },
};

const rules: readonly DialingRule[] = [
  calloutAllowsDialing,
  calloutIsNotCompleted,
  calloutHasNotExpired,
  personHasNotOptedOut,
  personIsNotHeldBack,
  attemptIsAlone,
  personIsNotReached,
];

/** @returns the condition that the rules of a table permit dialing now */
const permitted = (table: DialingRule['table']): Sql =>
  and(rules.filter((rule) => rule.table === table).flatMap(({ permits }) => permits ?? []));

/** The condition that calls of a row of `callouts` may be dialed now. */
export const calloutPermits: Sql = permitted('callouts');

const cancellations = (table: DialingRule['table']): Cancellation[] =>
  rules.filter((rule) => rule.table === table).flatMap(({ cancels }) => cancels ?? []);

/** When callouts cancel their queued calls. */
export const calloutCancellations: readonly Cancellation[] = cancellations('callouts');

const callCancellations = cancellations('phone_calls');

/** The condition that a call is never dialed, by the rules of calls. */
export const isIneligible = sql`(${join(
  callCancellations.map(({ when }) => when),
  ' OR ',
)})`;

/** The message of the first rule by which a call is never dialed. */
const ineligibleMessage = sql`CASE ${join(
  callCancellations.map(({ when, message }) => sql`WHEN ${when} THEN ${message}`),
  ' ',
)} END`;

/** The condition that a call is neither reserved nor postponed. */
const isUnreserved = (call: 'phone_calls' | 'waiting'): Sql =>
  and([
    isFree(sql`${raw(call)}.leased_until`, RESERVATION_SECONDS),
    isFree(sql`${raw(call)}.postponed_until`, MAX_DIAL_BACKOFF),
  ]);

/**
 * The condition that a queued call can be reserved: it is neither reserved nor claimed nor postponed after a refusal,
 * and the rules of calls permit it. {@link calloutPermits} is the condition for its callout.
 */
export const isDue: Sql = and([
  sql`phone_calls.lease_token IS NULL`,
  isUnreserved('phone_calls'),
  permitted('phone_calls'),
]);

/** The condition that a call is not claimed yet and is due, or has a slot before that of a row of `phone_calls`. */
const isBefore = sql`waiting.lease_token IS NULL AND (
  ${isUnreserved('waiting')} OR waiting.leased_until <= phone_calls.leased_until
) AND ${isNotHeldBack('waiting')} AND ${isAlone('waiting')}`;

/**
 * The condition that nothing is dialed while a callout has calls due: it is an emergency, and its plan does not limit
 * its own calls. Without the first part, SQLite does not use the partial index.
 */
export const goesBeforeAll = sql`callouts.priority <> 'normal' AND callouts.priority = 'emergency'
  AND callouts.dial_plan ->> 'max_calls_in_flight' IS NULL AND callouts.dial_plan ->> 'calls_per_second' IS NULL`;

/**
 * The condition that a call is urgent, or that no emergency call waits that should be dialed before it. The dial queue
 * reserves urgent calls first, and this condition makes the order exact. It reads few rows: hardly any callout is an
 * emergency, and most of the calls that wait for one are due.
 */
const letsEmergenciesPass = sql`(
  (SELECT callouts.priority FROM callouts WHERE callouts.id = phone_calls.callout_id) = 'emergency'
  OR NOT EXISTS (
    SELECT 1 FROM callouts WHERE ${goesBeforeAll} AND ${calloutPermits} AND (
      SELECT waiting.id FROM phone_calls AS waiting
      WHERE waiting.callout_id BETWEEN callouts.id AND callouts.id AND waiting.status = 'queued' AND ${isBefore}
      ORDER BY waiting.callout_id, waiting.id LIMIT 1
    ) IS NOT NULL
  )
)`;

/** The condition that a reserved call may be dialed now, by the rules of calls and of callouts. */
export const mayBeDialed: Sql = and([
  sql`(SELECT ${calloutPermits} FROM callouts WHERE callouts.id = phone_calls.callout_id)`,
  permitted('phone_calls'),
  sql`NOT ${isIneligible}`,
  letsEmergenciesPass,
]);

/**
 * Locks the contacts of calls until the transaction ends, so that nobody opts out between {@link mayBeDialed} and the
 * commit. Not needed on SQLite, where the transaction is the only writer.
 */
export async function lockContacts(transaction: Transaction, calls: readonly LockedCall[]): Promise<void> {
  if (!isPostgres || calls.length === 0) return;
  const ids = calls.map(({ contact_id }) => contact_id).filter((id) => id !== null);
  const numbers = calls.map(({ msisdn }) => msisdn);
  await transaction.query(
    sql`SELECT 1 FROM contacts WHERE id = ANY(${ids}) OR msisdn = ANY(${numbers}) ORDER BY id FOR SHARE`,
  );
}

/**
 * Cancels the queued calls among `ids` that must never be dialed by the rules of calls.
 * @param participations receives the participations whose outcomes the caller refreshes
 */
export function cancelIneligible(
  transaction: Transaction,
  ids: readonly number[],
  participations: Set<number>,
): Promise<void> {
  return cancelCalls(transaction, ids, { when: isIneligible, message: ineligibleMessage, participations });
}

/**
 * Cancels the queued calls among `ids`.
 * @param options.message their `remote_error_message`
 * @param options.when an additional condition for each call
 * @param options.participations receives the participations whose outcomes the caller refreshes
 */
export async function cancelCalls(
  transaction: Transaction,
  ids: readonly number[],
  {
    message,
    when = matchAll,
    participations,
  }: { message: Sql | string | null; when?: Sql; participations: Set<number> },
): Promise<void> {
  if (ids.length === 0) return;
  await movePhoneCalls(transaction, 'cancel', {
    values: { lease_token: null, dialled_at: null, remote_error_message: message },
    where: sql`${inList(sql`id`, ids)} AND ${when}`,
    participations,
  });
}
