import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { inList, parseJson, now } from '../database/dialect.js';
import { BackgroundReader } from '../database/reader.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { isSameNumber } from '../phone-numbers/same-number.js';
import { type RemoteCall, TelephonyProvider } from '../telephony/telephony-provider.js';
import { CallReconciler } from './call-reconciler.js';
import { calloutPermits } from './eligibility.js';
import { canMove, movePhoneCalls } from '../phone-calls/phone-call-transitions.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { ReconcileError } from './reconcile-error.js';
import { createdAt } from './remote-call-matching.js';

/** How far the clocks of the backup and the provider may differ (ms). */
const CLOCK_TOLERANCE = 300_000;

/** How many phone numbers one statement and one transaction process. */
const BATCH_SIZE = 1_000;

/** A call of the provider that the database does not know. */
interface LostCall {
  /** The number that it was placed from. */
  from: unknown;
  /** When the provider created it, by the provider's clock (ms since 1970). */
  at: number;
}

type OpenCall = Pick<PhoneCall, 'id' | 'msisdn' | 'remote_request_params'>;

interface PlacedCall {
  id: number;
  /** By the clock of the database. */
  dialedAt: Date;
}

/** The result of {@link LostCalls.markUncertain}. */
export interface LostCallsResult {
  /** The number of calls that the provider has and the database did not know. */
  lost: number;
  /** The number of phone calls that are uncertain now, and are not dialed. */
  uncertain: number;
}

/**
 * Finds the calls that were placed after the backup from which a database was restored. Their phone calls look as if
 * they had never been dialed, and would be dialed again.
 */
@Injectable()
export class LostCalls {
  constructor(
    private readonly provider: TelephonyProvider,
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reconciler: CallReconciler,
  ) {}

  /**
   * Marks calls that were not dialed yet as uncertain if the provider has called their person from the same number
   * since the backup. They are never dialed again automatically, and the workers look up their state. The provider's
   * list does not contain our ids: if several calls to a person wait, all of them are marked.
   *
   * @param since when the backup was made. Calls of the few minutes before count, too, unless the database knows them
   * @throws ReconcileError while calls may be dialed, or when the provider cannot list its calls
   */
  async markUncertain(since: Date): Promise<LostCallsResult> {
    await this.assertDialingStopped();
    const lost = await this.findLost(since);
    const offset = (await this.reconciler.clockOffset()) ?? 0;
    const numbers = [...lost.keys()];
    let uncertain = 0;
    for (let start = 0; start < numbers.length; start += BATCH_SIZE) {
      const open = await this.findOpenCalls(numbers.slice(start, start + BATCH_SIZE));
      uncertain += await this.mark(pairCalls(open, lost, offset));
    }
    return { lost: [...lost.values()].reduce((sum, calls) => sum + calls.length, 0), uncertain };
  }

  /** The provider's list would contain calls that are dialed at the same time.
   * @throws ReconcileError while calls may be dialed
   */
  private async assertDialingStopped(): Promise<void> {
    const rows = await this.reader.rows<{ id: number }>(
      sql`SELECT id FROM callouts WHERE (${calloutPermits} OR callouts.status = 'scheduled') AND EXISTS (
          SELECT 1 FROM phone_calls WHERE phone_calls.callout_id = callouts.id AND phone_calls.status = 'queued')
        ORDER BY id`,
    );
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id).join(', ');
    throw new ReconcileError(`Calls may be dialed at any moment: pause these callouts first: ${ids}.`);
  }

  /** @returns the provider's calls since then that the database does not know, by the called number, oldest first */
  private async findLost(since: Date): Promise<Map<string, LostCall[]>> {
    const lost = new Map<string, LostCall[]>();
    for await (const page of this.pages()) {
      const latest = page.filter((call) => createdAtOrNow(call) >= since.getTime() - CLOCK_TOLERANCE);
      if (page.length > 0 && latest.length === 0) break;
      for (const call of await this.reconciler.excludeKnown(latest)) {
        const { to } = call;
        if (typeof to !== 'string') continue;
        lost.set(to, [{ from: call.from, at: createdAtOrNow(call) }, ...(lost.get(to) ?? [])]);
      }
    }
    return lost;
  }

  /** @throws ReconcileError when the provider cannot list its calls */
  private async *pages(): AsyncGenerator<RemoteCall[]> {
    try {
      yield* this.provider.listCalls();
    } catch (error) {
      throw new ReconcileError(`The provider cannot be asked: ${(error as Error).message}.`);
    }
  }

  private async findOpenCalls(numbers: string[]): Promise<OpenCall[]> {
    const rows = await this.reader.rows<OpenCall>(
      sql`SELECT id, msisdn, remote_request_params FROM phone_calls
        WHERE ${inList(sql`msisdn`, numbers)} AND ${canMove('mark_lost')} AND lease_token IS NULL
        ORDER BY id`,
    );
    return rows.map((row) => ({ ...row, remote_request_params: parseJson(row.remote_request_params) }));
  }

  /**
   * Marks each call with its own time, in the order of ids.
   * @returns the number of calls marked
   */
  private mark(placed: PlacedCall[]): Promise<number> {
    return this.unitOfWork.run(async (transaction) => {
      let marked = 0;
      const participations = new Set<number>();
      for (const { id, dialedAt } of placed) {
        const rows = await movePhoneCalls(transaction, 'mark_lost', {
          values: { dialled_at: dialedAt.toISOString(), check_at: now, checks: 0 },
          where: sql`id = ${id} AND lease_token IS NULL`,
          participations,
        });
        marked += rows.length;
      }
      await refreshOutcomes(transaction, participations);
      return marked;
    });
  }
}

/** Pairs open calls with lost calls, in order. Further open calls get the last lost call with the same numbers. */
function pairCalls(open: OpenCall[], lost: Map<string, LostCall[]>, offset: number): PlacedCall[] {
  const used = new Set<LostCall>();
  return open.flatMap(({ id, msisdn, remote_request_params: { from } }) => {
    const matching = (lost.get(msisdn) ?? []).filter((call) => isSameNumber(call.from, from));
    const call = matching.find((one) => !used.has(one)) ?? matching.at(-1);
    if (!call) return [];
    used.add(call);
    return [{ id, dialedAt: new Date(call.at - offset) }];
  });
}

/** @returns when the provider created a call (ms since 1970). A call without a time counts as new */
function createdAtOrNow(call: RemoteCall): number {
  return createdAt(call) ?? Date.now();
}
