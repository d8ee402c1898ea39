import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { Callout } from '../callouts/callout.entity.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { lockCalloutStatus } from '../outcomes/lock-callout-status.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';

/** How many participations one transaction reads. */
const CHUNK_SIZE = 2_000;

type DueCallout = Pick<Callout, 'id'> & { outcomes_cursor: number };

/**
 * Refreshes the outcomes of participations after their callout was stopped or resumed, its time or its plan changed, or
 * it expired. Whoever was never called is `canceled` in a stopped callout, and `waiting` in any other. Whoever is held
 * back is due again, because the call windows may have changed: the gate decides anew. The callout keeps how far it
 * got (`callouts.outcomes_cursor`), so that a process that dies loses nothing.
 */
@Injectable()
export class CalloutOutcomes {
  constructor(private readonly unitOfWork: BackgroundUnitOfWork) {}

  /**
   * Refreshes the outcomes of a chunk of participations of one callout.
   * @returns whether there may be more
   */
  async refreshChunk(): Promise<boolean> {
    return this.unitOfWork.run(async (transaction) => {
      const [callout] = await transaction.query<DueCallout>(
        sql`SELECT id, outcomes_cursor FROM callouts WHERE outcomes_cursor IS NOT NULL ORDER BY id LIMIT 1`,
      );
      if (!callout) return false;
      await lockCalloutStatus(transaction, callout.id, 'share');
      const ids = await nextParticipations(transaction, callout);
      await refreshOutcomes(transaction, ids, { releases: true });
      // Another process may have refreshed the same participations.
      const cursor = ids.length < CHUNK_SIZE ? null : ids.at(-1)!;
      await transaction.query(sql`UPDATE callouts SET outcomes_cursor = ${cursor}
          WHERE id = ${callout.id} AND outcomes_cursor = ${callout.outcomes_cursor}`);
      return true;
    });
  }
}

/** Selects by BETWEEN, for which PostgreSQL uses the index on callout and id. */
async function nextParticipations(
  transaction: Transaction,
  { id, outcomes_cursor: cursor }: DueCallout,
): Promise<number[]> {
  const rows = await transaction.query<{ id: number }>(sql`SELECT id FROM callout_participations
      WHERE callout_id BETWEEN ${id} AND ${id} AND id > ${cursor} ORDER BY callout_id, id LIMIT ${CHUNK_SIZE}`);
  return rows.map((row) => row.id);
}
