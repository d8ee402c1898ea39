import sql, { type Sql, raw } from 'sql-template-tag';
import { inList, lockClause } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { and } from '../../api/filters/filter.js';
import type { FieldErrors } from '../../errors/errors.js';
import { canMove } from '../../phone-calls/phone-call-transitions.js';
import type { phoneCallMachine } from '../../phone-calls/phone-call.machine.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type { BatchOperationType, Bounds, Conditions, Draft, Scope, Step } from './batch-operation-type.js';
import { isLimited, leftInPeriod, limited } from './limits.js';
import { phoneCallParameterErrors, phoneCallsInScope } from './phone-call-scope.js';
import type { Window } from './window.js';

/** The status as indexes have it. */
const status = sql`phone_calls.status`;

/** Moves each phone call that its filters leave from one status to another, and writes its own id into the call. */
export abstract class PhoneCallMovingType implements BatchOperationType {
  /** The column of the call that names the operation which moved it. */
  protected abstract readonly mark: string;
  protected abstract readonly move: keyof typeof phoneCallMachine;
  /** What a call must have besides its status to be moved. */
  protected abstract readonly movable: Sql;
  /** The SET clause of the move. */
  protected abstract readonly changes: Sql;

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
          WHERE ${inList(sql`phone_calls.id`, ids)} AND ${this.inScope(operation, canMove(this.move))}
          ORDER BY phone_calls.id LIMIT ${allowed} ${lockClause('FOR UPDATE OF phone_calls')}
        )
        UPDATE phone_calls SET ${this.changes}, ${raw(this.mark)} = ${operation.id}
        WHERE id IN (SELECT id FROM chosen) AND ${canMove(this.move)} AND ${this.movable}`,
    );
    return { ...window, processed, done: window.done || processed >= allowed };
  }

  /** The next calls in the status from which they are moved, found by an index: not by a walk over all calls that were ever made. */
  private async nextCalls(
    transaction: Transaction,
    { callout_id: callout, cursor }: BatchOperation,
    size: number,
  ): Promise<Window & { ids: number[] }> {
    const ofCallout = sql`phone_calls.callout_id BETWEEN ${callout} AND ${callout} AND ${canMove(this.move, status)}
      AND phone_calls.id > ${cursor} ORDER BY phone_calls.callout_id, phone_calls.status, phone_calls.id`;
    const rows = await transaction.query<{ id: number }>(
      sql`SELECT phone_calls.id FROM phone_calls WHERE ${callout === null ? this.inAllCallouts(cursor) : ofCallout} LIMIT ${size}`,
    );
    const ids = rows.map(({ id }) => id);
    return { ids, cursor: ids.at(-1) ?? cursor, looked: ids.length, done: ids.length < size };
  }

  /** The condition and order that find the calls in that status beyond a cursor, of all callouts, by an index. */
  protected abstract inAllCallouts(cursor: number): Sql;

  private inScope(operation: Scope, canBeMoved = canMove(this.move, status)): Sql {
    return and([canBeMoved, this.movable, phoneCallsInScope(operation)]);
  }
}
