import sql, { type Sql, join } from 'sql-template-tag';
import { matchAll } from '../api/filters/filter.js';
import { CALLOUT_POPULATION } from '../batch-operations/types/population-parameters.js';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { type CalloutPriority, calloutPriorities } from '../callouts/callout-priority.js';
import { INCLUDE_DO_NOT_CALL, optedOut } from '../contacts/opted-out.js';
import { textAt } from '../api/filters/json-filter.js';
import { greatest, inList, millisecondsOf, nowMilliseconds, secondsFromNow } from '../database/dialect.js';
import { calloutPermits, isNotHeldBack } from '../dialing/eligibility.js';
import { selectCalloutsWithQueued } from '../dialing/queued-calls.js';
import { TRUE_WORDS } from '../metadata/client-values.js';
import { normalizedTextAt } from '../metadata/normalized-text-at.js';
import { notAnsweredByMachine } from '../outcomes/call-result.js';
import { endedStatuses } from '../phone-calls/phone-call.machine.js';

// What forecasts read. All times are in milliseconds since 1970, by the clock of the database.

/** The most other callouts whose dialing is modeled. */
const MAX_OTHERS = 50;

/** The most time zones of a callout, among whatever its contacts have. All other values count as none. */
const MAX_ZONES = 1_000;

/** How many of the latest calls of all callouts, and of the callout, are a sample of the calls to come. */
const SAMPLE_SIZE = 10_000;
const OWN_SAMPLE_SIZE = 2_000;

/** A callout, as far as its forecast depends on it. */
export interface CalloutRow {
  id: number;
  status: CalloutStatus;
  priority: CalloutPriority;
  dial_plan: unknown;
  audience: unknown;
  starts_at: number | null;
  expires_at: number | null;
  started_at: number | null;
  now: number;
}

/** Another callout, with the number of people whom its populations still have to add, as far as it is counted. */
export interface OtherCalloutRow extends CalloutRow {
  to_add: number;
}

const calloutColumns = sql`callouts.id, callouts.status, callouts.priority, callouts.dial_plan, callouts.audience,
  ${millisecondsOf(sql`callouts.starts_at`)} AS starts_at, ${millisecondsOf(sql`callouts.expires_at`)} AS expires_at,
  ${millisecondsOf(sql`callouts.started_at`)} AS started_at, ${nowMilliseconds} AS now`;

export function calloutStatement(id: number): Sql {
  return sql`SELECT ${calloutColumns} FROM callouts WHERE id = ${id}`;
}

/** The other callouts that are dialed, the most urgent first: they have queued calls, or a plan that makes some. */
export function otherCalloutsStatement(id: number): Sql {
  const urgency = calloutPriorities.map((priority, index) => sql`WHEN ${priority} THEN ${index}`);
  return sql`SELECT ${calloutColumns}, (
      SELECT CAST(coalesce(sum(total - processed), 0) AS bigint) FROM batch_operations
      WHERE batch_operations.callout_id = callouts.id AND type = ${CALLOUT_POPULATION}
        AND batch_operations.status IN ('queued', 'running')
    ) AS to_add FROM callouts
    WHERE callouts.id <> ${id} AND ${calloutPermits} AND (
      callouts.status = 'running' AND callouts.dial_plan IS NOT NULL
      OR callouts.id IN (SELECT id FROM (${selectCalloutsWithQueued(matchAll, calloutPermits)}) AS queued)
    ) ORDER BY CASE callouts.priority ${join(urgency, ' ')} END, callouts.id LIMIT ${MAX_OTHERS}`;
}

/** A population of a callout. */
export interface PopulationRow {
  id: number;
  status: string;
  parameters: unknown;
}

export function populationsStatement(calloutId: number): Sql {
  return sql`SELECT id, status, parameters FROM batch_operations
    WHERE callout_id = ${calloutId} AND type = ${CALLOUT_POPULATION}`;
}

/** People of a callout who are the same to the model. */
export interface PeopleRow {
  callout_id: number;
  zone: string | null;
  attempts: number;
  /** What they wait for: `queued` have a call that waits to be dialed, and `under_way` one that was. */
  state: 'open' | 'queued' | 'under_way';
  /** When they are called next, in units; null for at once, or as soon as their window opens. */
  due: number | null;
  opted_out: boolean | number;
  people: number;
}

/**
 * The statement that counts the people whom callouts will call, and with `toAdd` those who will be added.
 *
 * @param calloutId the callout whose people are counted by time zone
 * @param others the other callouts
 * @param options.zoneKey the key of the contacts' metadata that has their time zone
 * @param options.toAdd the condition of the contacts that will be added to the callout
 * @param options.unit the unit of `due` (ms)
 */
export function peopleStatement(
  calloutId: number,
  others: readonly number[],
  { zoneKey, toAdd, unit }: { zoneKey: string | undefined; toAdd: Sql; unit: number },
): Sql {
  const callouts = [calloutId, ...others];
  const zone = zoneKey === undefined ? sql`CAST(NULL AS text)` : textAt(sql`contacts.metadata`, [zoneKey]);
  // Each contact is found by its id. A join may read all contacts for the few people of a callout.
  const ownZone =
    zoneKey === undefined
      ? zone
      : sql`(SELECT ${zone} FROM contacts WHERE contacts.id = callout_participations.contact_id)`;
  const isOwn = sql`callout_participations.callout_id = ${calloutId}`;
  return sql`WITH
    queued AS MATERIALIZED (SELECT DISTINCT callout_participation_id AS id FROM phone_calls
      WHERE ${inList(sql`callout_id`, callouts)} AND status = 'queued'),
    people AS (
      SELECT callout_participations.callout_id, attempts,
        CASE WHEN ${isOwn} THEN ${ownZone} END AS zone,
        CASE WHEN outcome <> 'calling' THEN 'open' WHEN queued.id IS NULL THEN 'under_way' ELSE 'queued' END
          AS state,
        CASE WHEN outcome <> 'calling' AND coalesce(waiting_for, '') <> 'window'
          THEN ${millisecondsOf(sql`next_call_at`)} / CAST(${unit} AS bigint) END AS due,
        CASE WHEN ${isOwn} THEN ${hasOptedOut(calloutId)} ELSE FALSE END AS opted_out
      FROM callout_participations LEFT JOIN queued ON queued.id = callout_participations.id
      WHERE ${inList(sql`callout_participations.callout_id`, callouts)}
        AND outcome IN ('waiting', 'retrying', 'calling')
      UNION ALL
      SELECT CAST(${calloutId} AS bigint), 0, ${zone}, 'open', NULL, FALSE FROM contacts WHERE ${toAdd}
    ),
    counted AS (SELECT callout_id, zone, attempts, state, due, opted_out, count(*) AS people
      FROM people GROUP BY 1, 2, 3, 4, 5, 6),
    sized AS (SELECT counted.*, sum(people) OVER (PARTITION BY zone) AS size FROM counted),
    ranked AS (SELECT sized.*, dense_rank() OVER (ORDER BY size DESC, zone) AS rank FROM sized)
    SELECT callout_id, CASE WHEN rank <= ${MAX_ZONES} THEN zone END AS zone, attempts, state, due, opted_out,
      CAST(sum(people) AS bigint) AS people
    FROM ranked GROUP BY 1, 2, 3, 4, 5, 6`;
}

/** The condition that a person has opted out, as a rule of `dialing/eligibility.ts` has it for a call. */
function hasOptedOut(calloutId: number): Sql {
  const whoOptedOut = (column: Sql) => sql`(SELECT ${column} FROM contacts WHERE ${optedOut})`;
  return sql`((callout_participations.contact_id IN ${whoOptedOut(sql`contacts.id`)}
      OR callout_participations.msisdn IN ${whoOptedOut(sql`contacts.msisdn`)})
    AND coalesce(callout_population_id NOT IN (SELECT batch_operations.id FROM batch_operations
      WHERE batch_operations.callout_id = ${calloutId} AND
        ${normalizedTextAt('batch_operations.parameters', INCLUDE_DO_NOT_CALL)} IN (${join([...TRUE_WORDS])})), TRUE))`;
}

/** How many contacts are left out of an audience. */
export interface LeftOutRow {
  do_not_call: number;
  already_in_callout: number;
}

/**
 * @param leftOut the condition of the contacts that opted out
 * @param passedOver the condition of the contacts that take part already
 */
export function leftOutStatement(leftOut: Sql, passedOver: Sql): Sql {
  return sql`SELECT (SELECT count(*) FROM contacts WHERE ${leftOut}) AS do_not_call,
    (SELECT count(*) FROM contacts WHERE ${passedOver}) AS already_in_callout`;
}

/** Calls with the same result in a sample. */
export interface SampleRow {
  is_own: boolean | number;
  result: string;
  calls: number;
  /** How long they took on average from the dial to the end. */
  milliseconds: number;
  pursued: number;
  confirmed: number;
}

/** The statement that reads how the latest calls of all callouts, and those of one callout, ended. */
export function sampleStatement(calloutId: number): Sql {
  const columns = sql`calls.id, calls.status, calls.call_flow_state, calls.metadata, calls.dialled_at, calls.ended_at,
    calls.callout_id, calls.callout_participation_id`;
  const all = sql`SELECT * FROM (SELECT FALSE AS is_own, ${columns} FROM phone_calls AS calls
    WHERE calls.remotely_queued_at IS NOT NULL ORDER BY calls.remotely_queued_at DESC LIMIT ${SAMPLE_SIZE}) AS latest`;
  const own = endedStatuses.map(
    (status) => sql`SELECT * FROM (SELECT TRUE AS is_own, ${columns} FROM phone_calls AS calls
      WHERE calls.callout_id = ${calloutId} AND calls.status = ${status} AND calls.dialled_at IS NOT NULL
      ORDER BY calls.id DESC LIMIT ${OWN_SAMPLE_SIZE}) AS latest`,
  );
  const latestOwn = sql`SELECT * FROM (SELECT * FROM (${join(own, ' UNION ALL ')}) AS ended
    ORDER BY id DESC LIMIT ${OWN_SAMPLE_SIZE}) AS latest`;
  const isConfirmed = sql`(SELECT outcome FROM callout_participations
    WHERE callout_participations.id = calls.callout_participation_id) = 'confirmed'`;
  const isPursued = sql`coalesce((SELECT callouts.dial_plan ->> 'until' FROM callouts
    WHERE callouts.id = calls.callout_id) = 'confirmed', FALSE)`;
  return sql`SELECT is_own, result, count(*) AS calls, CAST(avg(milliseconds) AS bigint) AS milliseconds,
      sum(CASE WHEN is_pursued THEN 1 ELSE 0 END) AS pursued,
      count(DISTINCT CASE WHEN is_pursued AND is_confirmed THEN callout_participation_id END) AS confirmed
    FROM (
      SELECT is_own, callout_participation_id,
        CASE WHEN calls.status <> 'completed' THEN calls.status WHEN ${notAnsweredByMachine} THEN 'answered'
          ELSE 'machine' END AS result,
        ${millisecondsOf(sql`calls.ended_at`)} - ${millisecondsOf(sql`calls.dialled_at`)} AS milliseconds,
        ${isPursued} AS is_pursued, ${isConfirmed} AS is_confirmed
      FROM (${all} UNION ALL ${latestOwn}) AS calls
      WHERE calls.ended_at IS NOT NULL AND calls.dialled_at IS NOT NULL AND calls.callout_participation_id IS NOT NULL
    ) AS sample GROUP BY is_own, result`;
}

/**
 * The statement that reads for how long somebody of a callout has waited for a turn without a break (ms): since the
 * call that is dialed next was queued, or its window opened, or the callout began to run.
 */
export function waitStatement(calloutId: number): Sql {
  const participation = sql`(SELECT ${millisecondsOf(sql`callout_participations.next_call_at`)}
    FROM callout_participations WHERE callout_participations.id = phone_calls.callout_participation_id)`;
  const began = sql`(SELECT ${millisecondsOf(sql`callouts.trial_began_at`)} FROM callouts
    WHERE callouts.id = ${calloutId})`;
  return sql`SELECT ${nowMilliseconds} - ${greatest(
    millisecondsOf(sql`phone_calls.created_at`),
    sql`coalesce(${participation}, 0)`,
    sql`coalesce(${began}, 0)`,
  )} AS milliseconds FROM phone_calls
    WHERE phone_calls.callout_id BETWEEN ${calloutId} AND ${calloutId} AND phone_calls.status = 'queued'
      AND phone_calls.lease_token IS NULL AND ${isNotHeldBack('phone_calls')}
    ORDER BY phone_calls.callout_id, phone_calls.id LIMIT 1`;
}

/** How many calls were dialed. */
export interface DialedRow {
  all_calls: number;
  own_calls: number;
}

/** The statement that counts the calls of the last `seconds` that the provider accepted. */
export function dialedStatement(calloutId: number, seconds: number): Sql {
  // PostgreSQL does not look up the value of a volatile function in an index.
  return sql`SELECT count(*) AS all_calls,
      coalesce(sum(CASE WHEN callout_id = ${calloutId} THEN 1 ELSE 0 END), 0) AS own_calls
    FROM phone_calls WHERE remotely_queued_at > (SELECT ${secondsFromNow(-seconds)})
      AND callout_participation_id IS NOT NULL`;
}
