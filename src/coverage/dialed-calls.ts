import sql, { type Sql } from 'sql-template-tag';

/**
 * The dialed calls of a callout, from FROM on. They are those that the `attempts` of participations count. A queued
 * call with `dialled_at` is claimed: its request may not have been sent.
 */
export function fromDialedCalls(calloutId: number): Sql {
  return sql`FROM phone_calls WHERE phone_calls.callout_id = ${calloutId} AND phone_calls.dialled_at IS NOT NULL
    AND phone_calls.status <> 'queued'`;
}
