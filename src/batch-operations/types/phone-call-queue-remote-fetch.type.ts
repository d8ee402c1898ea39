import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { now } from '../../database/dialect.js';
import { matchAll } from '../../api/filters/filter.js';
import { canMove, setClause } from '../../phone-calls/phone-call-transitions.js';
import { BatchOperationTypeName } from './batch-operation-type.js';
import { PhoneCallMovingType } from './phone-call-moving.type.js';

/** Asks the provider what became of phone calls that it has taken. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallQueueRemoteFetch')
export class PhoneCallQueueRemoteFetchType extends PhoneCallMovingType {
  protected readonly mark = 'queue_remote_fetch_batch_operation_id';
  protected readonly move = 'queue_remote_fetch';
  protected readonly movable = matchAll;
  protected readonly changes = setClause(this.move, { check_at: now, checks: 0 });

  /** Each of these calls has a lookup planned. The sum keeps the planner from a walk along the primary key. */
  protected inAllCallouts(cursor: number): Sql {
    return sql`phone_calls.check_at IS NOT NULL AND ${canMove(this.move)}
      AND phone_calls.id > ${cursor} ORDER BY phone_calls.id + 0`;
  }
}
