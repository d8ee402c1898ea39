import sql, { type Sql } from 'sql-template-tag';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { now } from '../database/dialect.js';
import type { Outcome } from '../outcomes/outcome-names.js';
import { fromDialedCalls } from './dialed-calls.js';
import { textAt } from './group-by.js';

/** The most groups of a report. All other values are one more group. */
export const MAX_GROUPS = 1_000;

type Time = Date | string;

/** A row of {@link coverageStatement}: how many people have an outcome, with what is the same in all rows. */
export interface CoverageRow {
  status: CalloutStatus;
  at: Time;
  started_at: Time | null;
  first_ring_at: Time | null;
  half_first_tried_at: Time | null;
  nine_tenths_first_tried_at: Time | null;
  last_ring_at: Time | null;
  do_not_call: number;
  /** The value by which people are grouped; null if they have none. */
  value: string | null;
  /** Whether the row is about all values beyond {@link MAX_GROUPS}. */
  is_rest: boolean | number;
  /** Null in the only row of a callout in which nobody takes part. */
  outcome: Outcome | null;
  people: number;
}

/**
 * The statement that reads a report. It is one statement, so that all numbers are of one moment. The counts need only
 * the index `callout_participations_callout_id_outcome`, unless people are grouped.
 *
 * @param path the path in the metadata of contacts by which people are grouped
 * @param leftOut the condition of the contacts that are left out
 * @returns the statement; it has no row if there is no such callout
 */
export function coverageStatement(calloutId: number, path: string[] | undefined, leftOut: Sql): Sql {
  return sql`WITH
    counted AS MATERIALIZED (${path ? countedByValue(calloutId, path) : countedAsWhole(calloutId)}),
    everyone AS (SELECT CAST(coalesce(sum(people), 0) AS bigint) AS total FROM counted),
    sized AS (SELECT value, outcome, people, sum(people) OVER (PARTITION BY value) AS size FROM counted),
    -- People without a value are always a group of their own.
    placed AS (SELECT value, outcome, people,
      dense_rank() OVER (ORDER BY CASE WHEN value IS NULL THEN 0 ELSE 1 END, size DESC, value) > ${MAX_GROUPS} AS is_rest
      FROM sized),
    shown AS (SELECT CASE WHEN NOT is_rest THEN value END AS value, is_rest, outcome,
      CAST(sum(people) AS bigint) AS people FROM placed GROUP BY 1, 2, 3),
    dialed AS MATERIALIZED (SELECT phone_calls.callout_participation_id, phone_calls.dialled_at,
      phone_calls.remote_call_id IS NOT NULL AS is_accepted ${fromDialedCalls(calloutId)}),
    tried AS MATERIALIZED (SELECT min(dialled_at) AS tried_at FROM dialed GROUP BY callout_participation_id)
    SELECT callouts.status, callouts.started_at, ${now} AS at,
      (SELECT count(*) FROM contacts WHERE ${leftOut}) AS do_not_call,
      (SELECT min(dialled_at) FROM dialed WHERE is_accepted) AS first_ring_at,
      (SELECT max(dialled_at) FROM dialed WHERE is_accepted) AS last_ring_at,
      ${triedAt(sql`(total - 1) / 2`)} AS half_first_tried_at,
      ${triedAt(sql`(9 * total - 1) / 10`)} AS nine_tenths_first_tried_at,
      shown.value, shown.is_rest, shown.outcome, shown.people
    FROM callouts LEFT JOIN shown ON TRUE WHERE callouts.id = ${calloutId}`;
}

/** @param others how many people were tried before, as SQL in which `total` is the number of all people */
function triedAt(others: Sql): Sql {
  return sql`(SELECT tried_at FROM tried ORDER BY tried_at LIMIT 1 OFFSET (SELECT ${others} FROM everyone))`;
}

function countedAsWhole(calloutId: number): Sql {
  return sql`SELECT CAST(NULL AS text) AS value, outcome, count(*) AS people
    FROM callout_participations WHERE callout_id = ${calloutId} GROUP BY outcome`;
}

/** Each contact is found by its id. A join may read all contacts for the few people of a callout. */
function countedByValue(calloutId: number, path: string[]): Sql {
  return sql`SELECT value, outcome, count(*) AS people FROM (
      SELECT (SELECT ${textAt(path)} FROM contacts WHERE contacts.id = callout_participations.contact_id) AS value, outcome
      FROM callout_participations WHERE callout_id = ${calloutId}
    ) AS people GROUP BY value, outcome`;
}
