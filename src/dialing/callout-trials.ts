import { Injectable, Logger } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { Callout } from '../callouts/callout.entity.js';
import { calloutSystemTransitions } from '../callouts/callout.machine.js';
import { inList, isPostgres, lockClause, now } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { canMove, movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import type { Refusal } from '../telephony/telephony-provider.js';
import { isNumberError } from '../telephony/twilio/error-codes.js';

/** How many of a callout's first dials the provider must refuse with the same code before the callout is held. */
const TRIAL_SIZE = 10;

type TrialRow = Pick<Callout, 'status' | 'held_because' | 'held_code' | 'trial_code' | 'trial_refusals'> & {
  on_trial: boolean | number;
  /** The call was dialed before the callout was started or resumed. */
  is_stale: boolean | number;
};

/** The condition that a row of `callouts` is on trial. */
export const isOnTrial = sql`(callouts.trial_began_at IS NOT NULL AND callouts.trial_ended_at IS NULL)`;

/**
 * Keeps a wrong setting from failing all calls of a callout. A callout is on trial from its start or resumption until
 * the provider does not refuse one of its dials. Two kinds of refusals hold the callout: one whose code is known to
 * concern a setting, and the same code for all of its first {@link TRIAL_SIZE} dials. To hold a callout means to pause
 * it, to store the reason, and to queue its refused calls again.
 */
@Injectable()
export class CalloutTrials {
  private readonly logger = new Logger('CalloutTrials');

  /**
   * Finds the calls that are queued again if one of these refusals holds its callout. The transaction locks them and
   * their participations together with its own, before it locks callouts. So it waits for others who have locked them,
   * and does not fail. Empty on SQLite, where the transaction is the only writer.
   */
  async findRefused(
    transaction: Transaction,
    refusals: readonly { callout_id: number; refusal: Refusal }[],
  ): Promise<{ id: number; participation: number }[]> {
    if (!isPostgres || refusals.length === 0) return [];
    const ids = refusals.map(({ callout_id }) => callout_id);
    // A trial that is longer is one of numbers that cannot be called. It does not hold the callout.
    const onTrial = await transaction.query<{ id: number }>(sql`SELECT id FROM callouts
        WHERE ${inList(sql`id`, ids)} AND ${isOnTrial} AND trial_refusals < ${TRIAL_SIZE}`);
    const causes = new Map<string, { callout_id: number; code: string }>();
    for (const { callout_id, refusal } of refusals) {
      const { code, outcome } = refusal;
      if (outcome !== 'misconfigured' && !onTrial.some(({ id }) => id === callout_id)) continue;
      causes.set(`${callout_id} ${code}`, { callout_id, code });
    }
    const found: { id: number; participation: number }[] = [];
    for (const { callout_id, code } of causes.values()) {
      const rows = await transaction.query<{ id: number; participation: number }>(
        sql`SELECT id, callout_participation_id AS participation FROM phone_calls
          WHERE ${isOfTrial(callout_id)} AND ${isRefusedWith(code)}`,
      );
      found.push(...rows);
    }
    return found;
  }

  /**
   * Locks callouts until the transaction ends, in the order of their ids. The transaction has locked its calls and
   * their participations before.
   */
  async lockCallouts(transaction: Transaction, calloutIds: ReadonlySet<number>): Promise<void> {
    if (!isPostgres || calloutIds.size === 0) return;
    await transaction.query(sql`SELECT 1 FROM callouts WHERE ${inList(sql`id`, [...calloutIds])}
      ORDER BY id ${lockClause('FOR NO KEY UPDATE')}`);
  }

  /** Ends the trials of callouts whose calls the provider accepts. */
  async endTrials(transaction: Transaction, calloutIds: ReadonlySet<number>): Promise<void> {
    if (calloutIds.size === 0) return;
    await transaction.query(sql`UPDATE callouts
        SET trial_ended_at = ${now}, trial_code = NULL, trial_refusals = 0
        WHERE ${inList(sql`id`, [...calloutIds])} AND ${isOnTrial}`);
  }

  /** Counts a refusal of a callout's call, which is already recorded as errored, and holds the callout if required. */
  async recordRefusal(
    transaction: Transaction,
    { id, callout_id }: { id: number; callout_id: number | null },
    refusal: Refusal,
  ): Promise<void> {
    const calloutId = callout_id!;
    const dialedAt = sql`(SELECT dialled_at FROM phone_calls WHERE phone_calls.id = ${id})`;
    const [callout] =
      await transaction.query<TrialRow>(sql`SELECT status, held_because, held_code, trial_code, trial_refusals,
          ${isOnTrial} AS on_trial,
          coalesce(trial_began_at > ${dialedAt} AND trial_began_at <= ${now}, FALSE) AS is_stale
        FROM callouts WHERE id = ${calloutId} ${lockClause('FOR NO KEY UPDATE')}`);
    if (!callout) return;
    const { code, outcome, message } = refusal;
    // This dial was in flight when the callout was held, and perhaps resumed. It is no evidence about the new settings.
    if (callout.held_code === code && (callout.held_because !== null || callout.is_stale)) {
      return this.requeue(transaction, sql`id = ${id}`, code);
    }
    if (outcome === 'misconfigured') {
      return this.hold(
        transaction,
        calloutId,
        callout,
        code,
        `The provider refuses calls because of a setting: ${message}.`,
      );
    }
    if (!callout.on_trial) return;
    if (callout.trial_refusals > 0 && callout.trial_code !== code)
      return this.endTrials(transaction, new Set([calloutId]));
    const refusals = callout.trial_refusals + 1;
    // The callout was resumed after it was held for these numbers, so their calls stay errored.
    const isKnown = callout.held_code === code && isNumberError(code);
    if (refusals >= TRIAL_SIZE && !isKnown) {
      const reason = `The provider refused the first ${refusals} calls in the same way: ${message}.`;
      return this.hold(transaction, calloutId, callout, code, reason);
    }
    await transaction.query(
      sql`UPDATE callouts SET trial_refusals = ${refusals}, trial_code = ${code} WHERE id = ${calloutId}`,
    );
  }

  private async hold(
    transaction: Transaction,
    calloutId: number,
    { status }: TrialRow,
    code: string,
    reason: string,
  ): Promise<void> {
    if (status === 'stopped' || status === 'completed') return;
    const to = calloutSystemTransitions.hold.from.some((from) => from === status)
      ? calloutSystemTransitions.hold.to
      : status;
    await transaction.query(sql`UPDATE callouts
        SET status = ${to}, held_because = ${reason}, held_code = ${code}, updated_at = ${now}
        WHERE id = ${calloutId}`);
    this.logger.warn(`Callout ${calloutId} is held: ${reason}`);
    await this.requeue(transaction, isOfTrial(calloutId), code);
  }

  /**
   * Queues the calls again that were refused with this code, so that no person loses a call. The transaction has locked
   * them ({@link findRefused}), except those that others have recorded since. It has locked callouts already, so it
   * must not wait for these: if one of them is locked, the transaction begins again, and then waits for it.
   */
  private async requeue(transaction: Transaction, which: Sql, code: string): Promise<void> {
    const refused = await transaction.query<{ id: number }>(sql`SELECT id FROM phone_calls
        WHERE ${which} AND ${isRefusedWith(code)}
        ${lockClause('FOR UPDATE NOWAIT')}`);
    const ids = refused.map(({ id }) => id);
    const participations = new Set<number>();
    const values = { dialled_at: null, refusals: 0 };
    await movePhoneCalls(transaction, 'requeue', { values, where: inList(sql`id`, ids), participations });
    await refreshOutcomes(transaction, participations, { noWait: true });
  }
}

/** The condition that a call was dialed in the trial of this callout. */
function isOfTrial(calloutId: number): Sql {
  // A trial that begins in the future was written before the database clock stepped back, and does not limit the calls.
  return sql`callout_id = ${calloutId} AND (SELECT callouts.trial_began_at IS NULL OR callouts.trial_began_at > ${now}
      OR phone_calls.dialled_at >= callouts.trial_began_at
    FROM callouts WHERE callouts.id = ${calloutId})`;
}

/** The condition that the provider has refused a call with this code, so that it can be queued again. */
function isRefusedWith(code: string): Sql {
  const status = sql`phone_calls.status`;
  return sql`${canMove('requeue', status)} AND refusal_code = ${code} AND remote_call_id IS NULL`;
}
