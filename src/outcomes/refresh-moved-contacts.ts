import { isDeepStrictEqual } from 'node:util';
import sql from 'sql-template-tag';
import { inList } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { Metadata } from '../metadata/metadata.js';
import { refreshOutcomes } from './refresh-outcomes.js';

/** A contact whose metadata change, with the metadata before and after. */
export interface ChangedContact {
  id: number;
  before: Metadata;
  after: Metadata;
}

/**
 * Makes people due again whose contacts have moved to another time zone: the gate decides anew whether a call window is
 * open there. The transaction has written the contacts.
 * @param options.noWait fails with a conflict instead of waiting. For transactions that have locked participations or
 *   callouts already
 */
export async function refreshMovedContacts(
  transaction: Transaction,
  contacts: readonly ChangedContact[],
  options: { noWait?: boolean } = {},
): Promise<void> {
  const changed = new Map(
    contacts.filter(({ before, after }) => !isDeepStrictEqual(before, after)).map((contact) => [contact.id, contact]),
  );
  if (changed.size === 0) return;
  const rows = await transaction.query<{ id: number; contact_id: number; key: string }>(
    sql`SELECT callout_participations.id, contact_id, callouts.dial_plan ->> 'time_zone_key' AS key
      FROM callout_participations JOIN callouts ON callouts.id = callout_participations.callout_id
      WHERE ${inList(sql`contact_id`, [...changed.keys()])} AND callouts.dial_plan ->> 'time_zone_key' IS NOT NULL`,
  );
  const moved = rows.filter(({ contact_id, key }) => {
    const { before, after } = changed.get(contact_id)!;
    return !isDeepStrictEqual(before[key], after[key]);
  });
  const ids = moved.map(({ id }) => id);
  // Somebody may hold them back at this moment, and has locked them: they are read after that.
  await refreshOutcomes(transaction, ids, { ...options, releases: true });
}
