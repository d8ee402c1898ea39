import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { canMove, setClause } from '../../phone-calls/phone-call-transitions.js';
import { BatchOperationTypeName } from './batch-operation-type.js';
import { PhoneCallMovingType } from './phone-call-moving.type.js';

/** Queues created phone calls to be dialled. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallQueue')
export class PhoneCallQueueType extends PhoneCallMovingType {
  protected readonly mark = 'queue_batch_operation_id';
  protected readonly move = 'queue';
  protected readonly movable = sql`phone_calls.callout_id IS NOT NULL`;
  protected readonly changes = setClause(this.move, {});

  protected inAllCallouts(cursor: number): Sql {
    return sql`${canMove(this.move, sql`phone_calls.status`)} AND phone_calls.id > ${cursor} ORDER BY phone_calls.id`;
  }
}
