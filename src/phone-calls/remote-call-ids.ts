import sql from 'sql-template-tag';
import { jsonCast, lockClause, recordset, now } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { movePhoneCalls } from './phone-call-transitions.js';

/** A phone call, and the provider id that certainly belongs to it. */
export interface RemoteIdOwner {
  id: number;
  remote_call_id: string;
}

/**
 * Corrects wrong guesses. A call that was matched with the provider's list may have a provider id that turns out to
 * belong to another call. Such a call becomes uncertain again, and its stored webhooks move to the owner. The
 * transaction has locked its calls already, so it must not wait for one that was given such an id meanwhile: it begins
 * again.
 *
 * @param participations receives the participations whose outcomes the caller refreshes
 */
export async function retractGuessedIds(
  transaction: Transaction,
  owners: readonly RemoteIdOwner[],
  participations: Set<number>,
): Promise<void> {
  if (owners.length === 0) return;
  const columns = { id: 'bigint', remote_call_id: 'text' } as const;
  const guesses = await transaction.query<
    RemoteIdOwner & { owner: number }
  >(sql`SELECT phone_calls.id, phone_calls.remote_call_id, owners.id AS owner
      FROM ${recordset('owners', columns, owners)}
      JOIN phone_calls ON phone_calls.remote_call_id = owners.remote_call_id AND phone_calls.id <> owners.id
      WHERE phone_calls.remote_queue_response ->> 'sid' IS NULL
      ${lockClause('FOR UPDATE OF phone_calls NOWAIT')}`);
  const values = {
    // A restored database may not know when the call was dialed.
    dialled_at: sql`coalesce(dialled_at, ${now})`,
    check_at: now,
    checks: 0,
  };
  for (const { id, remote_call_id, owner } of guesses) {
    await movePhoneCalls(transaction, 'retract_remote_id', {
      values,
      set: sql`remote_response = ${'{}'}${jsonCast}`,
      where: sql`id = ${id} AND remote_call_id = ${remote_call_id}`,
      participations,
    });
    await transaction.query(sql`UPDATE remote_phone_call_events SET phone_call_id = ${owner}
        WHERE phone_call_id = ${id} AND remote_call_id = ${remote_call_id}`);
  }
}
