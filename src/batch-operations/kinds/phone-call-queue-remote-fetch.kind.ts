import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { now } from '../../database/dialect.js';
import { PhoneCallMovingKind } from './phone-call-moving.kind.js';

/** Asks the provider what became of phone calls that it has taken. */
@Injectable()
export class PhoneCallQueueRemoteFetchKind extends PhoneCallMovingKind {
  readonly type = 'BatchOperation::PhoneCallQueueRemoteFetch';
  protected readonly mark = 'queue_remote_fetch_batch_operation_id';
  protected readonly from = 'remotely_queued';
  protected readonly movable = sql`phone_calls.remote_call_id IS NOT NULL`;
  protected readonly move = sql`status = 'remote_fetch_queued', check_at = ${now}, checks = 0`;
}
