import { Injectable } from '@nestjs/common';
import sql, { type Sql, empty, raw } from 'sql-template-tag';
import { jsonCast, isPostgres } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import type { FieldErrors } from '../../errors/errors.js';
import { insertion } from '../../phone-calls/phone-call-transitions.js';
import { remoteRequestParamsError } from '../../phone-calls/remote-request-params.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import {
  type BatchOperationType,
  BatchOperationTypeName,
  type ChunkLimits,
  type ListConditions,
  type Draft,
  type Scope,
  type ChunkResult,
} from './batch-operation-type.js';
import { isLimited, remainingInPeriod, withLimits } from './limits.js';
import { participationsInScope, phoneCallParameterErrors } from './phone-call-scope.js';
import { nextIdWindow } from './id-window.js';

/** The first key of PostgreSQL advisory locks. The number is arbitrary, but unique in this program. */
const CREATION_LOCK = 720_117_002;

/** The second key for all callouts. The other second keys are the ids of callouts. */
const EVERY_CALLOUT = 0;

/** Creates a phone call for each participation that matches its filters. The calls are not queued yet. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallCreate')
export class PhoneCallCreateType implements BatchOperationType {
  readonly target = 'phone_calls';

  readonly source = 'callout_participations';

  readonly needsPreview = 'callout_participations_preview';

  readonly isLimited = isLimited;

  readonly preview: ListConditions = {
    callout_participations: selectedParticipations,
    contacts: (operation) =>
      sql`contacts.id IN (SELECT callout_participations.contact_id FROM callout_participations
        WHERE ${selectedParticipations(operation)})`,
  };

  readonly results: ListConditions = {
    callout_participations: ({ id }) =>
      sql`callout_participations.id IN (
        SELECT callout_participation_id FROM phone_calls WHERE create_batch_operation_id = ${id})`,
    contacts: ({ id }) =>
      sql`contacts.id IN (SELECT contact_id FROM phone_calls WHERE create_batch_operation_id = ${id})`,
    phone_calls: ({ id }) => sql`phone_calls.create_batch_operation_id = ${id}`,
  };

  validate({ parameters }: Draft): FieldErrors {
    const error = remoteRequestParamsError(parameters.remote_request_params);
    return {
      ...phoneCallParameterErrors(parameters, ['remote_request_params']),
      ...(error && { remote_request_params: [error] }),
    };
  }

  async runChunk(
    transaction: Transaction,
    operation: BatchOperation,
    { windowSize, maxRows }: ChunkLimits,
  ): Promise<ChunkResult> {
    const { id, cursor, parameters, callout_id: calloutId } = operation;
    await lockCreation(transaction, calloutId);
    const allowed = Math.min(maxRows, await remainingInPeriod(transaction, parameters));
    const window = await nextIdWindow(transaction, 'callout_participations', cursor, windowSize, calloutId);
    const { columns, values } = insertion('create', {});
    const processed = await transaction.execute(sql`INSERT INTO phone_calls
          (callout_participation_id, callout_id, contact_id, msisdn, ${columns},
          remote_request_params, create_batch_operation_id)
        SELECT callout_participations.id, callout_participations.callout_id, callout_participations.contact_id,
          callout_participations.msisdn, ${values},
          ${JSON.stringify(parameters.remote_request_params)}${jsonCast}, ${id}
        FROM callout_participations
        WHERE callout_participations.id > ${cursor} AND callout_participations.id <= ${window.cursor}
          AND ${participationsInScope(operation)}
        ORDER BY callout_participations.id LIMIT ${allowed}`);
    return { ...window, processed, done: window.done || processed >= allowed };
  }
}

/**
 * Serializes the operations that create calls of one callout. If two of them filter for people without a call, the
 * second must see the calls of the first. Operations on different callouts do not wait for each other.
 */
async function lockCreation(transaction: Transaction, calloutId: number | null): Promise<void> {
  if (!isPostgres) return;
  const shared = calloutId === null ? empty : raw('_shared');
  await transaction.query(sql`SELECT pg_advisory_xact_lock${shared}(${CREATION_LOCK}, ${EVERY_CALLOUT})`);
  if (calloutId === null) return;
  await transaction.query(sql`SELECT pg_advisory_xact_lock(${CREATION_LOCK}, ${calloutId % 2 ** 31})`);
}

function selectedParticipations(operation: Scope): Sql {
  const condition = participationsInScope(operation);
  return withLimits('callout_participations', condition, operation.parameters);
}
