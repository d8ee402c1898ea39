import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { BatchOperationTypeName } from './batch-operation-type.js';
import { PhoneCallMovingType } from './phone-call-moving.type.js';

/** Queues created phone calls to be dialled. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallQueue')
export class PhoneCallQueueType extends PhoneCallMovingType {
  protected readonly mark = 'queue_batch_operation_id';
  protected readonly from = 'created';
  protected readonly movable = sql`phone_calls.callout_id IS NOT NULL`;
  protected readonly move = sql`status = 'queued', refusals = 0, leased_until = NULL`;

  protected inAllCallouts(cursor: number): Sql {
    return sql`phone_calls.status = 'created' AND phone_calls.id > ${cursor} ORDER BY phone_calls.id`;
  }
}
