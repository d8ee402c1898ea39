import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import sql, { type Sql, join, raw } from 'sql-template-tag';
import { Config } from '../config/config.js';
import { isPostgres, lockClause, now, secondsFromNow } from '../database/dialect.js';
import { isFree } from '../database/lease.js';
import { BackgroundReader } from '../database/reader.js';
import type { Transaction } from '../database/transaction.js';
import { BackgroundUnitOfWork } from '../database/unit-of-work.js';
import { and, matchAll } from '../api/filters/filter.js';
import { BatchOperation } from './batch-operation.entity.js';
import { type BatchOperationStatus, batchOperationWork } from './batch-operation.machine.js';
import type { Step } from './types/batch-operation-type.js';
import { BatchOperationRegistry } from './batch-operation-registry.js';
import { sizeAfter } from './types/window.js';

/** Failures without headway after which a run has failed for good. */
const MAX_ATTEMPTS = 5;

/**
 * The `error` of a run that has failed for good. The cause is in the log only, because it can contain internals.
 */
const FAILED =
  `It failed ${MAX_ATTEMPTS} times in a row at the same place. ` +
  "The program's log says why. Send requeue to begin again.";

/** A run that changes at least so many rows makes PostgreSQL's statistics outdated. */
const ANALYZE_FROM = 10_000;

/** More rows than any step looks at. */
const UNLIMITED = 1_000_000_000;

/** Another worker has taken the run over, or the record is gone: what was done under the lost lease is rolled back. */
export class LeaseLost extends Error {}

/**
 * The runs of batch operations, as rows: who owns one, how far it is, how it ended. A worker owns a run by a lease with a token; each of
 * its chunks is one transaction that moves rows, the cursor and the lease together, and counts for nothing if the token is no longer there.
 */
@Injectable()
export class BatchOperationRuns {
  private readonly logger = new Logger('Worker');

  constructor(
    private readonly unitOfWork: BackgroundUnitOfWork,
    private readonly reader: BackgroundReader,
    private readonly types: BatchOperationRegistry,
    private readonly config: Config,
  ) {}

  /** The ids of up to `limit` batch operations that need work and that nobody has a lease on. */
  async due(limit: number): Promise<number[]> {
    const rows = await this.reader.rows<{ id: number }>(
      sql`SELECT id FROM batch_operations WHERE ${this.isDue} ORDER BY id LIMIT ${limit}`,
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Takes the run, from its start or from where its last owner was killed; undefined when it is not there to be taken. A run whose chunk is
   * under way is passed over, however long the chunk takes.
   */
  claim(id: number): Promise<BatchOperation | undefined> {
    return this.unitOfWork.run(async (transaction) => {
      const due = sql`SELECT id FROM batch_operations WHERE id = ${id} AND ${this.isDue} ${lockClause('FOR UPDATE SKIP LOCKED')}`;
      const claimed =
        await transaction.execute(sql`UPDATE batch_operations SET status = ${batchOperationWork.start.to}, lease_token = ${randomUUID()},
            leased_until = ${secondsFromNow(this.config.leaseSeconds)}, updated_at = ${now}
          WHERE id IN (${due})`);
      return claimed === 1 ? transaction.find(BatchOperation, { id }) : undefined;
    });
  }

  /**
   * Counts what there is to do, unless an earlier owner of the run has; the next step keeps the total. A run that must not go beyond its
   * total waits for it; any other is under way meanwhile.
   */
  async measure(run: BatchOperation): Promise<void> {
    if (run.total !== null) return;
    const measured = this.count(run).then((total) => {
      run.total ??= total;
    });
    if (this.isLimited(run)) await measured;
    else
      measured.catch((error: Error) => this.logger.warn(`Batch operation ${run.id} was not counted: ${error.message}`));
  }

  /**
   * Does the next chunk; when it was the last, the run is finished. The run's row is locked from beginning to end, so that nobody takes the run
   * over although the chunk takes longer than the lease.
   * @param last what the step before it did, if this is not the first
   * @throws LeaseLost
   */
  async step(run: BatchOperation, last?: Step): Promise<Step> {
    return this.unitOfWork.run(async (transaction) => {
      await this.hold(transaction, run);
      const type = this.types.get(run.type);
      const most = this.isLimited(run) ? (run.total ?? 0) - run.processed : UNLIMITED;
      const step = await type.step(transaction, run, { size: sizeAfter(last), most });
      const { cursor, processed } = step;
      const sum = run.processed + processed;
      const done = step.done || processed >= most;
      const total = done ? sum : run.total === null ? null : Math.max(run.total, sum);
      const moved = sql`cursor = ${cursor}, processed = ${sum}, total = ${total}, attempts = 0`;
      await this.keep(transaction, run, done ? sql`${moved}, ${ended(batchOperationWork.finish.to)}` : moved);
      Object.assign(run, { cursor, processed: sum, attempts: 0 });
      return { ...step, done };
    });
  }

  /**
   * Updates PostgreSQL's statistics after a run that changed many rows. Autovacuum does so about a minute later; until
   * then PostgreSQL plans previews and lists as if the table had none of these rows.
   */
  async analyze({ id, type, processed }: BatchOperation): Promise<void> {
    if (!isPostgres || processed < ANALYZE_FROM) return;
    const table = raw(this.types.get(type).target);
    // Skips the table if autovacuum holds it already.
    await this.unitOfWork
      .query(sql`ANALYZE (SKIP_LOCKED) ${table}`)
      .catch((error: Error) =>
        this.logger.warn(`The statistics are old after batch operation ${id}: ${error.message}`),
      );
  }

  /** Lets go of the run, so that any worker can take it up at once. */
  async release(run: BatchOperation): Promise<void> {
    await this.unitOfWork.run((transaction) => this.keep(transaction, run, sql`lease_token = NULL`, sql`NULL`));
  }

  /**
   * Notes that the run failed at its cursor: it is tried again after a growing pause, and a few times later has failed
   * for good.
   */
  async setBack(run: BatchOperation): Promise<void> {
    const attempts = run.attempts + 1;
    await this.unitOfWork.run((transaction) =>
      attempts < MAX_ATTEMPTS
        ? this.keep(
            transaction,
            run,
            sql`attempts = ${attempts}, lease_token = NULL`,
            secondsFromNow(2 ** (attempts - 1)),
          )
        : this.keep(transaction, run, sql`error = ${FAILED}, ${ended(batchOperationWork.fail.to)}`),
    );
  }

  /** What is done and what is left, as one statement sees both: steps may be under way. */
  private async count({ id, type, ...scope }: BatchOperation): Promise<number> {
    const { source, preview } = this.types.get(type);
    const unseen = sql`${raw(source)}.id > (SELECT cursor FROM batch_operations WHERE id = ${id})`;
    const left = and([preview[source]?.({ id, ...scope }) ?? matchAll, unseen]);
    const [counted] = await this.reader.scan<{ total: number }>(
      sql`SELECT count(*) + (SELECT processed FROM batch_operations WHERE id = ${id}) AS total
        FROM ${raw(source)} WHERE ${left}`,
    );
    return counted?.total ?? 0;
  }

  /** The run needs work, and nobody has a lease on it. */
  private get isDue(): Sql {
    const longest = Math.max(this.config.leaseSeconds, 2 ** MAX_ATTEMPTS);
    return sql`status IN (${join(batchOperationWork.start.from)}) AND ${isFree(sql`leased_until`, longest)}`;
  }

  private isLimited(run: BatchOperation): boolean {
    return this.types.get(run.type).isLimited?.(run) ?? false;
  }

  /** Locks the row of a run that is ours. @throws LeaseLost when it is not */
  private async hold(transaction: Transaction, run: BatchOperation): Promise<void> {
    const held = await transaction.query(
      sql`SELECT 1 FROM batch_operations WHERE ${isOurs(run)} ${lockClause('FOR UPDATE')}`,
    );
    if (held.length === 0) throw new LeaseLost(`Batch operation ${run.id} is no longer ours`);
  }

  /** @throws LeaseLost, which undoes the transaction, when the run is no longer ours */
  private async keep(
    transaction: Transaction,
    run: BatchOperation,
    changes: Sql,
    leasedUntil = secondsFromNow(this.config.leaseSeconds),
  ): Promise<void> {
    const kept =
      await transaction.execute(sql`UPDATE batch_operations SET ${changes}, leased_until = ${leasedUntil}, updated_at = ${now}
        WHERE ${isOurs(run)}`);
    if (kept !== 1) throw new LeaseLost(`Batch operation ${run.id} is no longer ours`);
  }
}

function isOurs({ id, status, lease_token }: BatchOperation): Sql {
  return sql`id = ${id} AND status = ${status} AND lease_token = ${lease_token}`;
}

function ended(status: BatchOperationStatus): Sql {
  return sql`status = ${status}, lease_token = NULL`;
}
