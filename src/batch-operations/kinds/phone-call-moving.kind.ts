import sql, { type Sql, raw } from 'sql-template-tag';
import { among, checked, locking, now } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { allOf } from '../../filters/filter.js';
import type { FieldErrors } from '../../http/errors.js';
import type { PhoneCallStatus } from '../../phone-calls/phone-call.machine.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type { BatchOperationType } from '../batch-operation.types.js';
import type { BatchOperationKind, Bounds, Conditions, Draft, Scope, Step } from './batch-operation.kind.js';
import { isLimited, leftInPeriod, limited } from './limits.js';
import { phoneCallParameterErrors, phoneCallsInScope } from './phone-call-scope.js';
import type { Window } from './window.js';

/** Moves each phone call that its filters leave from one status to another, and writes its own id into the call. */
export abstract class PhoneCallMovingKind implements BatchOperationKind {
  abstract readonly type: BatchOperationType;
  /** The column of the call that names the operation which moved it. */
  protected abstract readonly mark: string;
  /** The status that a call must have to be moved. */
  protected abstract readonly from: PhoneCallStatus;
  /** What else it must have. */
  protected abstract readonly movable: Sql;
  /** What is set in a call that is moved. */
  protected abstract readonly move: Sql;

  readonly target = 'phone_calls';

  readonly source = 'phone_calls';

  readonly needsPreview = 'phone_calls_preview';

  readonly isLimited = isLimited;

  readonly preview: Conditions = {
    phone_calls: (operation) => limited('phone_calls', this.inScope(operation), operation.parameters),
  };

  readonly results: Conditions = { phone_calls: ({ id }) => sql`phone_calls.${raw(this.mark)} = ${id}` };

  validate({ parameters }: Draft): FieldErrors {
    return phoneCallParameterErrors(parameters);
  }

  async step(transaction: Transaction, operation: BatchOperation, { size, most }: Bounds): Promise<Step> {
    const { ids, ...window } = await this.nextCalls(transaction, operation, size);
    const allowed = Math.min(most, await leftInPeriod(transaction, operation.parameters));
    const processed = await transaction.execute(
      // A subselect with a limit and locks may run again for each row: PostgreSQL's planner keeps a materialized one.
      sql`WITH chosen AS MATERIALIZED (
          SELECT phone_calls.id FROM phone_calls
          WHERE ${among(sql`phone_calls.id`, ids)} AND ${this.inScope(operation, checked('phone_calls.status'))}
          ORDER BY phone_calls.id LIMIT ${allowed} ${locking('FOR UPDATE OF phone_calls')}
        )
        UPDATE phone_calls SET ${this.move}, ${raw(this.mark)} = ${operation.id}, updated_at = ${now}
        WHERE id IN (SELECT id FROM chosen) AND ${checked('phone_calls.status')} = ${this.from} AND ${this.movable}`,
    );
    return { ...window, processed, done: window.done || processed >= allowed };
  }

  /** The next calls in the status from which they are moved, found by an index: not by a walk over all calls that were ever made. */
  private async nextCalls(
    transaction: Transaction,
    { callout_id: callout, cursor }: BatchOperation,
    size: number,
  ): Promise<Window & { ids: number[] }> {
    const ofCallout = sql`phone_calls.callout_id BETWEEN ${callout} AND ${callout} AND phone_calls.status = ${this.from}
      AND phone_calls.id > ${cursor} ORDER BY phone_calls.callout_id, phone_calls.status, phone_calls.id`;
    const rows = await transaction.query<{ id: number }>(
      sql`SELECT phone_calls.id FROM phone_calls WHERE ${callout === null ? this.inAllCallouts(cursor) : ofCallout} LIMIT ${size}`,
    );
    const ids = rows.map(({ id }) => id);
    return { ids, cursor: ids.at(-1) ?? cursor, looked: ids.length, done: ids.length < size };
  }

  /** The condition and order that find the calls in that status beyond a cursor, of all callouts, by an index. */
  protected abstract inAllCallouts(cursor: number): Sql;

  private inScope(operation: Scope, status = sql`phone_calls.status`): Sql {
    return allOf([sql`${status} = ${this.from}`, this.movable, phoneCallsInScope(operation)]);
  }
}
