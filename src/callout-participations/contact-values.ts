import sql, { type Sql } from 'sql-template-tag';
import type { ColumnFilter, Filter, Filters } from '../api/filters/filter.js';
import { type Leaf, conditionAtPaths, textAt } from '../api/filters/json-filter.js';
import { isPostgres } from '../database/dialect.js';

// The values by which reports group the people of a callout, and the filter that lists the people of a group.

/** The most groups of a report. All other values are one more group. */
export const MAX_GROUPS = 1_000;

/** The value of the group of all values that have no group of their own. */
export const REST = '…';

/** Longer values are cut, so that a report stays small (characters). */
const MAX_VALUE_LENGTH = 200;

const metadata = sql`contacts.metadata`;

/** The value of a group, from a row of `contacts`: a text, cut at 200 characters; NULL without a value. */
function groupValue(path: string[]): Sql {
  return sql`substr(${textAt(metadata, path)}, 1, ${MAX_VALUE_LENGTH})`;
}

/** An expression on the contact of a participation. The contact is found by its id. */
function ofContact(expression: Sql): Sql {
  return sql`(SELECT ${expression} FROM contacts WHERE contacts.id = callout_participations.contact_id)`;
}

/**
 * The statement that counts the people of a callout by value and outcome: `value`, `outcome` and `people`.
 *
 * @param path the path in the metadata of contacts
 */
export function countedByValue(calloutId: number, path: string[]): Sql {
  const ofCallout = sql`callout_participations.callout_id = ${calloutId}`;
  // On SQLite, CROSS JOIN begins with the table on the left, and finds each contact by its id.
  const joined = sql`SELECT ${groupValue(path)} AS value, outcome FROM callout_participations CROSS JOIN contacts
    WHERE contacts.id = callout_participations.contact_id AND ${ofCallout}`;
  const counted = (people: Sql) => sql`SELECT value, outcome, count(*) AS people FROM (${people}) AS people
    GROUP BY value, outcome`;
  if (!isPostgres) return counted(joined);
  // Lookups are faster for a few people, and reading all contacts is faster for many. The planner would choose by its
  // statistics, which may be from before the callout was filled.
  const tenth = sql`(SELECT max(id) / 10 FROM contacts)`;
  const isLarge = sql`(SELECT count(*) FROM (
    SELECT 1 FROM callout_participations WHERE ${ofCallout} LIMIT ${tenth} + 1) AS first_ones) > ${tenth}`;
  const looked = sql`SELECT ${ofContact(groupValue(path))} AS value, outcome FROM callout_participations
    WHERE ${ofCallout}`;
  return sql`WITH size AS MATERIALIZED (SELECT ${isLarge} AS is_large)
    SELECT * FROM (${counted(joined)}) AS joined WHERE (SELECT is_large FROM size)
    UNION ALL SELECT * FROM (${counted(looked)}) AS looked WHERE NOT (SELECT is_large FROM size)`;
}

/**
 * The statement that finds the values that have a group: the most frequent ones. People without a value always are a
 * group.
 *
 * @param counted a table with the columns of {@link countedByValue}
 */
export function valuesWithGroup(counted: Sql): Sql {
  return sql`SELECT value FROM ${counted} AS counted GROUP BY value
    ORDER BY CASE WHEN value IS NULL THEN 0 ELSE 1 END, sum(people) DESC, value LIMIT ${MAX_GROUPS}`;
}

/**
 * Matches the value at a path of the contact's metadata, as the groups of a report show it:
 * `q[contact_metadata][province]=Pursat`. `5` matches 5 and "5", and JSON text matches a list or an object. A filter
 * without a value matches null and a missing key. A text of 200 characters also matches longer values that begin with
 * it, because their group is the same.
 */
export const contactValueFilter: ColumnFilter = ({ name }) => ({ [name]: filterOf(name, leafCondition) });

/**
 * The same filter for the list of the participations in a callout. `…` also matches all values of the callout that have
 * no group of their own.
 */
export function contactValueFilterIn(calloutId: number, name: string): Filters {
  const condition = (leaf: Leaf) =>
    leaf.text === REST ? sql`(${leafCondition(leaf)} OR ${isInRest(calloutId, leaf.path)})` : leafCondition(leaf);
  return { [name]: filterOf(name, condition) };
}

function filterOf(name: string, condition: (leaf: Leaf) => Sql): Filter {
  return {
    schema: {
      type: 'object',
      additionalProperties: true,
      description: 'The text of a value in the metadata of the contact, as a `group_by` of the coverage shows it',
      example: { province: 'Pursat' },
    },
    condition: (value) => conditionAtPaths(value, name, condition),
  };
}

function leafCondition({ path, text }: Leaf): Sql {
  if (text === null) return sql`${ofContact(textAt(metadata, path))} IS NULL`;
  // The databases count code points.
  const isCut = Array.from(text).length <= MAX_VALUE_LENGTH;
  return ofContact(sql`${isCut ? groupValue(path) : textAt(metadata, path)} = ${text}`);
}

function isInRest(calloutId: number, path: string[]): Sql {
  const shown = valuesWithGroup(sql`(${countedByValue(calloutId, path)})`);
  return sql`${ofContact(groupValue(path))} NOT IN (SELECT value FROM (${shown}) AS shown WHERE value IS NOT NULL)`;
}
