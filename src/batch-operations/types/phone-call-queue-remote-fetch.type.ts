import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { now } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { matchAll } from '../../api/filters/filter.js';
import { canMove, movePhoneCalls } from '../../phone-calls/phone-call-transitions.js';
import { BatchOperationTypeName } from './batch-operation-type.js';
import { PhoneCallTransitionType, type TransitionStatement } from './phone-call-transition.type.js';

/** Has phone calls looked up at the provider. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallQueueRemoteFetch')
export class PhoneCallQueueRemoteFetchType extends PhoneCallTransitionType {
  protected readonly operationColumn = 'queue_remote_fetch_batch_operation_id';
  protected readonly event = 'queue_remote_fetch';
  protected readonly extraCondition = matchAll;

  protected move(transaction: Transaction, statement: TransitionStatement): Promise<unknown[]> {
    return movePhoneCalls(transaction, this.event, { ...statement, values: { check_at: now, checks: 0 } });
  }

  /** All these calls have a `check_at`. The sum keeps the planner from scanning the primary key. */
  protected acrossCallouts(cursor: number): Sql {
    return sql`phone_calls.check_at IS NOT NULL AND ${canMove(this.event)}
      AND phone_calls.id > ${cursor} ORDER BY phone_calls.id + 0`;
  }
}
