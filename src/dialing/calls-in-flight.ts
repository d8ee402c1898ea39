import sql, { type Sql } from 'sql-template-tag';
import type { Config } from '../config/config.js';
import { matchAll } from '../api/filters/filter.js';
import { notIndexed } from '../database/dialect.js';
import { isHeld } from '../database/lease.js';
import { RESERVATION_SECONDS, claimSeconds } from './dial-leases.js';

/**
 * The number of outbound calls that are under way, reserved or claimed, as an expression. It reads two partial indexes,
 * which contain hardly any other calls.
 * @param calloutId counts the calls of one callout
 */
export function callsInFlight(config: Pick<Config, 'providerTimeout'>, calloutId?: number): Sql {
  // The sum keeps the planner from an index by callout, which has all calls that were ever made.
  const ofCallout = calloutId === undefined ? matchAll : sql`phone_calls.callout_id + 0 = ${calloutId}`;
  const status = notIndexed('phone_calls.status');
  const claimed = sql`lease_token IS NOT NULL AND ${isHeld(sql`leased_until`, claimSeconds(config))}`;
  const reserved = sql`lease_token IS NULL AND ${isHeld(sql`leased_until`, RESERVATION_SECONDS)}`;
  return sql`(
    (SELECT count(*) FROM phone_calls WHERE check_at IS NOT NULL AND callout_participation_id IS NOT NULL
      AND ${status} IN ('remotely_queued', 'remote_fetch_queued', 'in_progress') AND ${ofCallout})
    + (SELECT count(*) FROM phone_calls WHERE leased_until IS NOT NULL AND ${status} = 'queued'
      AND (${claimed} OR ${reserved}) AND ${ofCallout})
  )`;
}
