import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { Transaction } from '../../database/transaction.js';
import { canMove, movePhoneCalls } from '../../phone-calls/phone-call-transitions.js';
import { BatchOperationTypeName } from './batch-operation-type.js';
import { PhoneCallTransitionType, type TransitionStatement } from './phone-call-transition.type.js';

/** Queues phone calls to be dialed. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallQueue')
export class PhoneCallQueueType extends PhoneCallTransitionType {
  protected readonly operationColumn = 'queue_batch_operation_id';
  protected readonly event = 'queue';
  protected readonly extraCondition = sql`phone_calls.callout_id IS NOT NULL`;

  protected move(transaction: Transaction, statement: TransitionStatement): Promise<unknown[]> {
    return movePhoneCalls(transaction, this.event, { ...statement, values: {} });
  }

  protected acrossCallouts(cursor: number): Sql {
    return sql`${canMove(this.event, sql`phone_calls.status`)} AND phone_calls.id > ${cursor} ORDER BY phone_calls.id`;
  }
}
