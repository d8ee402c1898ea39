import sql, { type Sql, join, raw } from 'sql-template-tag';
import { countedByValue, valuesWithGroup } from '../callout-participations/contact-values.js';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import { greatest, now } from '../database/dialect.js';
import { type Outcome, outcomes } from '../outcomes/outcome-names.js';

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
  /** Whether the row is about all values that have no group of their own. */
  is_rest: boolean | number;
  /** Null in the only row of a callout in which nobody takes part. */
  outcome: Outcome | null;
  people: number;
}

/**
 * The statement that reads a report. It is one statement, so that all numbers are of one moment. Each part of it reads
 * only an index, except the groups.
 *
 * @param path the path in the metadata of contacts by which people are grouped
 * @param leftOut the condition of the contacts that are left out
 * @returns the statement; it has no row if there is no such callout
 */
export function coverageStatement(calloutId: number, path: string[] | undefined, leftOut: Sql): Sql {
  const ofCallout = sql`callout_id = ${calloutId}`;
  // The condition of the index phone_calls_rings. PostgreSQL would use one on IS NOT NULL to look up provider ids.
  const accepted = sql`FROM phone_calls WHERE ${ofCallout} AND coalesce(remote_call_id, '') <> ''`;
  const tried = sql`FROM callout_participations WHERE ${ofCallout} AND first_call_at IS NOT NULL`;
  return sql`WITH
    counted AS MATERIALIZED (${path ? countedByValue(calloutId, path) : countedAsWhole(ofCallout)}),
    everyone AS MATERIALIZED (SELECT CAST(coalesce(sum(people), 0) AS bigint) AS total FROM counted),
    named AS (${valuesWithGroup(sql`counted`)}),
    placed AS (SELECT outcome, people, value, CASE WHEN value IS NULL THEN FALSE
      ELSE value NOT IN (SELECT value FROM named WHERE value IS NOT NULL) END AS is_rest FROM counted),
    shown AS (SELECT CASE WHEN NOT is_rest THEN value END AS value, is_rest, outcome,
      CAST(sum(people) AS bigint) AS people FROM placed GROUP BY 1, 2, 3),
    half AS MATERIALIZED (SELECT first_call_at AS half_at, id AS half_id ${tried}
      ORDER BY first_call_at, id LIMIT 1 OFFSET (SELECT (total - 1) / 2 FROM everyone)),
    -- The walk from half to nine tenths begins where the first one has ended: at a time, after some of its people.
    walk AS MATERIALIZED (SELECT half_at, (9 * total - 1) / 10 - (total - 1) / 2 -
      (SELECT count(*) ${tried} AND first_call_at = half_at AND id > half_id) AS steps FROM half CROSS JOIN everyone)
    SELECT callouts.status, callouts.started_at, ${now} AS at,
      (SELECT count(*) FROM contacts WHERE ${leftOut}) AS do_not_call,
      (SELECT min(dialled_at) ${accepted}) AS first_ring_at,
      (SELECT max(dialled_at) ${accepted}) AS last_ring_at,
      (SELECT half_at FROM half) AS half_first_tried_at,
      (SELECT CASE WHEN steps <= 0 THEN half_at ELSE (
        SELECT first_call_at ${tried} AND first_call_at > (SELECT half_at FROM walk) ORDER BY first_call_at
        LIMIT 1 OFFSET (SELECT ${greatest(sql`max(steps) - 1`, sql`0`)} FROM walk)
      ) END FROM walk) AS nine_tenths_first_tried_at,
      shown.value, shown.is_rest, shown.outcome, shown.people
    FROM callouts LEFT JOIN shown ON TRUE WHERE callouts.id = ${calloutId}`;
}

/** Counting the index entries of each outcome takes half as long as grouping them. */
function countedAsWhole(ofCallout: Sql): Sql {
  const counts = outcomes.map((outcome) => {
    const name = raw(`'${outcome}'`);
    return sql`SELECT CAST(NULL AS text) AS value, ${name} AS outcome, count(*) AS people
      FROM callout_participations WHERE ${ofCallout} AND outcome = ${name}`;
  });
  return join(counts, ' UNION ALL ');
}
