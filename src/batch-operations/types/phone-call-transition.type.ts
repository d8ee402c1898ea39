import sql, { type Sql, raw } from 'sql-template-tag';
import { inList, lockClause } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { and } from '../../api/filters/filter.js';
import type { FieldErrors } from '../../errors/errors.js';
import { type MoveStatement, canMove } from '../../phone-calls/phone-call-transitions.js';
import type { phoneCallMachine } from '../../phone-calls/phone-call.machine.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type {
  BatchOperationType,
  ChunkLimits,
  ListConditions,
  Draft,
  Scope,
  ChunkResult,
} from './batch-operation-type.js';
import { isLimited, remainingInPeriod, withLimits } from './limits.js';
import { phoneCallParameterErrors, phoneCallsInScope } from './phone-call-scope.js';
import type { IdWindow } from './id-window.js';

/** The status column as the indexes contain it. */
const status = sql`phone_calls.status`;

/** The transition, without the values that its event requires. */
export type TransitionStatement = Omit<MoveStatement<'queue'>, 'values'>;

/** Sends one event to each phone call that matches its filters, and stores its own id with the call. */
export abstract class PhoneCallTransitionType implements BatchOperationType {
  /** The column of the phone call that stores the id of the operation. */
  protected abstract readonly operationColumn: string;
  protected abstract readonly event: keyof typeof phoneCallMachine;
  /** A condition that a call must meet besides its status. */
  protected abstract readonly extraCondition: Sql;
  /** Makes the transition. @returns a row for each call that was moved */
  protected abstract move(transaction: Transaction, statement: TransitionStatement): Promise<unknown[]>;

  readonly target = 'phone_calls';

  readonly source = 'phone_calls';

  readonly needsPreview = 'phone_calls_preview';

  readonly isLimited = isLimited;

  readonly preview: ListConditions = {
    phone_calls: (operation) => withLimits('phone_calls', this.inScope(operation), operation.parameters),
  };

  readonly results: ListConditions = { phone_calls: ({ id }) => sql`phone_calls.${raw(this.operationColumn)} = ${id}` };

  validate({ parameters }: Draft): FieldErrors {
    return phoneCallParameterErrors(parameters);
  }

  async runChunk(
    transaction: Transaction,
    operation: BatchOperation,
    { windowSize, maxRows }: ChunkLimits,
  ): Promise<ChunkResult> {
    const { ids, ...window } = await this.nextCalls(transaction, operation, windowSize);
    const allowed = Math.min(maxRows, await remainingInPeriod(transaction, operation.parameters));
    const moved = await this.move(transaction, {
      set: sql`${raw(this.operationColumn)} = ${operation.id}`,
      // PostgreSQL may run a subselect with LIMIT and FOR UPDATE once per row. MATERIALIZED makes it run once.
      with: sql`chosen AS MATERIALIZED (
          SELECT phone_calls.id FROM phone_calls
          WHERE ${inList(sql`phone_calls.id`, ids)} AND ${this.inScope(operation, canMove(this.event))}
          ORDER BY phone_calls.id LIMIT ${allowed} ${lockClause('FOR UPDATE OF phone_calls')}
        )`,
      where: sql`id IN (SELECT id FROM chosen) AND ${this.extraCondition}`,
    });
    const processed = moved.length;
    return { ...window, processed, done: window.done || processed >= allowed };
  }

  /**
   * Selects the next calls whose status allows the event. `=` lets the planner scan every call by the primary key;
   * BETWEEN makes it use the index on callout and status.
   */
  private async nextCalls(
    transaction: Transaction,
    { callout_id: callout, cursor }: BatchOperation,
    size: number,
  ): Promise<IdWindow & { ids: number[] }> {
    const ofCallout = sql`phone_calls.callout_id BETWEEN ${callout} AND ${callout} AND ${canMove(this.event, status)}
      AND phone_calls.id > ${cursor} ORDER BY phone_calls.callout_id, phone_calls.status, phone_calls.id`;
    const rows = await transaction.query<{ id: number }>(
      sql`SELECT phone_calls.id FROM phone_calls
        WHERE ${callout === null ? this.acrossCallouts(cursor) : ofCallout} LIMIT ${size}`,
    );
    const ids = rows.map(({ id }) => id);
    return { ids, cursor: ids.at(-1) ?? cursor, scanned: ids.length, done: ids.length < size };
  }

  /** @returns the condition and order that select, by an index, the calls of all callouts after the cursor */
  protected abstract acrossCallouts(cursor: number): Sql;

  private inScope(operation: Scope, canBeMoved = canMove(this.event, status)): Sql {
    return and([canBeMoved, this.extraCondition, phoneCallsInScope(operation)]);
  }
}
