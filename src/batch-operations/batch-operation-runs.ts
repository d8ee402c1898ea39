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
import { type BatchOperationStatus, batchOperationWorkerTransitions } from './batch-operation.machine.js';
import type { ChunkResult } from './types/batch-operation-type.js';
import { BatchOperationRegistry } from './batch-operation-registry.js';
import { nextWindowSize } from './types/id-window.js';

/** How many times in a row a run may fail at the same cursor before its status becomes `failed`. */
const MAX_ATTEMPTS = 5;

/** The `error` of a failed run. The cause is only in the log, because it can contain internals. */
const FAILURE_MESSAGE =
  `It failed ${MAX_ATTEMPTS} times in a row at the same place. ` +
  "The program's log says why. Send requeue to begin again.";

/** A run that changes at least this many rows makes PostgreSQL's statistics outdated. */
const MIN_ROWS_TO_ANALYZE = 10_000;

/** More rows than any chunk makes or changes. */
const UNLIMITED = 1_000_000_000;

/** Another worker has taken over the run, or its record was deleted. The transaction is rolled back. */
export class LeaseLostError extends Error {}

/**
 * Stores the runs of batch operations: who owns a run, its progress, and how it ended. A worker owns a run by a lease
 * with a token. Each chunk is one transaction that changes rows, moves the cursor and renews the lease. It is rolled
 * back if the run no longer has the token.
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

  /** @returns the ids of up to `limit` runs that need work and that no worker has a lease on */
  async findDue(limit: number): Promise<number[]> {
    const rows = await this.reader.rows<{ id: number }>(
      sql`SELECT id FROM batch_operations WHERE ${this.isDue} ORDER BY id LIMIT ${limit}`,
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Takes a lease on a run that needs work. The run continues at its cursor.
   * @returns undefined if the run needs no work, another worker has a lease on it, or one of its chunks is in progress,
   *   even if that chunk takes longer than the lease
   */
  claim(id: number): Promise<BatchOperation | undefined> {
    return this.unitOfWork.run(async (transaction) => {
      const due = sql`SELECT id FROM batch_operations WHERE id = ${id} AND ${this.isDue}
        ${lockClause('FOR NO KEY UPDATE SKIP LOCKED')}`;
      const claimed = await transaction.execute(sql`UPDATE batch_operations
          SET status = ${batchOperationWorkerTransitions.start.to}, lease_token = ${randomUUID()},
            leased_until = ${secondsFromNow(this.config.leaseSeconds)}, updated_at = ${now}
          WHERE id IN (${due})`);
      return claimed === 1 ? transaction.find(BatchOperation, { id }) : undefined;
    });
  }

  /**
   * Counts the rows of the run into `run.total`, unless an earlier owner has. The next chunk stores the total. If the
   * total limits the run, the promise resolves after the count; otherwise the run may begin while rows are counted.
   */
  async countTotal(run: BatchOperation): Promise<void> {
    if (run.total !== null) return;
    const measured = this.countRows(run).then((total) => {
      run.total ??= total;
    });
    if (this.isLimited(run)) await measured;
    else
      measured.catch((error: Error) => this.logger.warn(`Batch operation ${run.id} was not counted: ${error.message}`));
  }

  /**
   * Runs the next chunk, and finishes the run after the last one. The run's row is locked until the chunk is committed:
   * no other worker takes over the run, even if the chunk takes longer than the lease.
   * @param last the result of the previous chunk; undefined for the first one
   * @throws LeaseLostError if the run is no longer ours
   */
  async runChunk(run: BatchOperation, last?: ChunkResult): Promise<ChunkResult> {
    return this.unitOfWork.run(async (transaction) => {
      await this.lockRun(transaction, run);
      const type = this.types.get(run.type);
      const maxRows = this.isLimited(run) ? (run.total ?? 0) - run.processed : UNLIMITED;
      const chunk = await type.runChunk(transaction, run, { windowSize: nextWindowSize(last), maxRows });
      const { cursor, processed } = chunk;
      const sum = run.processed + processed;
      const done = chunk.done || processed >= maxRows;
      const total = done ? sum : run.total === null ? null : Math.max(run.total, sum);
      const progress = sql`cursor = ${cursor}, processed = ${sum}, total = ${total}, attempts = 0`;
      await this.updateRun(
        transaction,
        run,
        done ? sql`${progress}, ${endRun(batchOperationWorkerTransitions.finish.to)}` : progress,
      );
      Object.assign(run, { cursor, processed: sum, attempts: 0 });
      return { ...chunk, done };
    });
  }

  /**
   * Updates PostgreSQL's statistics after a run that changed many rows. Autovacuum does so about a minute later; until
   * then PostgreSQL plans previews and lists as if the table had none of these rows.
   */
  async analyze({ id, type, processed }: BatchOperation): Promise<void> {
    if (!isPostgres || processed < MIN_ROWS_TO_ANALYZE) return;
    const table = raw(this.types.get(type).target);
    // Skips the table if autovacuum holds it already.
    await this.unitOfWork
      .query(sql`ANALYZE (SKIP_LOCKED) ${table}`)
      .catch((error: Error) =>
        this.logger.warn(`The statistics are old after batch operation ${id}: ${error.message}`),
      );
  }

  /** Releases the lease, so any worker can take over the run at once. @throws LeaseLostError if the run is not ours */
  async release(run: BatchOperation): Promise<void> {
    await this.unitOfWork.run((transaction) => this.updateRun(transaction, run, sql`lease_token = NULL`, sql`NULL`));
  }

  /**
   * Records that the run failed at its cursor. It is retried after a delay that doubles each time, and its status
   * becomes `failed` after {@link MAX_ATTEMPTS} failures in a row.
   * @throws LeaseLostError if the run is no longer ours
   */
  async recordFailure(run: BatchOperation): Promise<void> {
    const attempts = run.attempts + 1;
    await this.unitOfWork.run((transaction) =>
      attempts < MAX_ATTEMPTS
        ? this.updateRun(
            transaction,
            run,
            sql`attempts = ${attempts}, lease_token = NULL`,
            secondsFromNow(2 ** (attempts - 1)),
          )
        : this.updateRun(
            transaction,
            run,
            sql`error = ${FAILURE_MESSAGE}, ${endRun(batchOperationWorkerTransitions.fail.to)}`,
          ),
    );
  }

  /** Counts the processed and the remaining rows in one statement, because chunks may run at the same time. */
  private async countRows({ id, type, ...scope }: BatchOperation): Promise<number> {
    const { source, preview } = this.types.get(type);
    const notScanned = sql`${raw(source)}.id > (SELECT cursor FROM batch_operations WHERE id = ${id})`;
    const remaining = and([preview[source]?.({ id, ...scope }) ?? matchAll, notScanned]);
    const [counted] = await this.reader.scan<{ total: number }>(
      sql`SELECT count(*) + (SELECT processed FROM batch_operations WHERE id = ${id}) AS total
        FROM ${raw(source)} WHERE ${remaining}`,
    );
    return counted?.total ?? 0;
  }

  /** The condition of runs that need work and that no worker has a lease on. */
  private get isDue(): Sql {
    const longest = Math.max(this.config.leaseSeconds, 2 ** MAX_ATTEMPTS);
    return sql`status IN (${join(batchOperationWorkerTransitions.start.from)})
      AND ${isFree(sql`leased_until`, longest)}`;
  }

  private isLimited(run: BatchOperation): boolean {
    return this.types.get(run.type).isLimited?.(run) ?? false;
  }

  /**
   * Locks the row of the run. Foreign keys can still refer to it: a transaction that changes a participation twice
   * checks them, and the run may wait for that transaction.
   * @throws LeaseLostError if the run is no longer ours
   */
  private async lockRun(transaction: Transaction, run: BatchOperation): Promise<void> {
    const rows = await transaction.query(
      sql`SELECT 1 FROM batch_operations WHERE ${isOurs(run)} ${lockClause('FOR NO KEY UPDATE')}`,
    );
    if (rows.length === 0) throw new LeaseLostError(`Batch operation ${run.id} is no longer ours`);
  }

  /** Updates the run's row. @throws LeaseLostError, which rolls back the transaction, if the run is no longer ours */
  private async updateRun(
    transaction: Transaction,
    run: BatchOperation,
    changes: Sql,
    leasedUntil = secondsFromNow(this.config.leaseSeconds),
  ): Promise<void> {
    const updated = await transaction.execute(sql`UPDATE batch_operations
          SET ${changes}, leased_until = ${leasedUntil}, updated_at = ${now}
        WHERE ${isOurs(run)}`);
    if (updated !== 1) throw new LeaseLostError(`Batch operation ${run.id} is no longer ours`);
  }
}

function isOurs({ id, status, lease_token }: BatchOperation): Sql {
  return sql`id = ${id} AND status = ${status} AND lease_token = ${lease_token}`;
}

function endRun(status: BatchOperationStatus): Sql {
  return sql`status = ${status}, lease_token = NULL`;
}
