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
  type Bounds,
  type Conditions,
  type Draft,
  type Scope,
  type Step,
} from './batch-operation-type.js';
import { isLimited, leftInPeriod, limited } from './limits.js';
import { participationsInScope, phoneCallParameterErrors } from './phone-call-scope.js';
import { nextWindow } from './window.js';

/** Any number that no other program takes as the class of its advisory locks on our database. */
const CREATION_LOCK = 720_117_002;

/** In that class: every callout. The others are callouts' ids. */
const EVERY_CALLOUT = 0;

/** Creates a phone call, to be queued, for each participation that its filters leave. */
@Injectable()
@BatchOperationTypeName('BatchOperation::PhoneCallCreate')
export class PhoneCallCreateType implements BatchOperationType {
  readonly target = 'phone_calls';

  readonly source = 'callout_participations';

  readonly needsPreview = 'callout_participations_preview';

  readonly isLimited = isLimited;

  readonly preview: Conditions = {
    callout_participations: participations,
    contacts: (operation) =>
      sql`contacts.id IN (SELECT callout_participations.contact_id FROM callout_participations
        WHERE ${participations(operation)})`,
  };

  readonly results: Conditions = {
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

  async step(transaction: Transaction, operation: BatchOperation, { size, most }: Bounds): Promise<Step> {
    const { id, cursor, parameters, callout_id: calloutId } = operation;
    await lockCreation(transaction, calloutId);
    const allowed = Math.min(most, await leftInPeriod(transaction, parameters));
    const window = await nextWindow(transaction, 'callout_participations', cursor, size, calloutId);
    const { columns, values } = insertion('create', {});
    const processed =
      await transaction.execute(sql`INSERT INTO phone_calls (callout_participation_id, callout_id, contact_id, msisdn, ${columns},
          remote_request_params, create_batch_operation_id)
        SELECT callout_participations.id, callout_participations.callout_id, callout_participations.contact_id,
          callout_participations.msisdn, ${values}, ${JSON.stringify(parameters.remote_request_params)}${jsonCast}, ${id}
        FROM callout_participations
        WHERE callout_participations.id > ${cursor} AND callout_participations.id <= ${window.cursor}
          AND ${participationsInScope(operation)}
        ORDER BY callout_participations.id LIMIT ${allowed}`);
    return { ...window, processed, done: window.done || processed >= allowed };
  }
}

/**
 * Of two operations that look for people of a callout who have no call yet, the second must see the calls of the first. Operations on different
 * callouts do not wait for each other.
 */
async function lockCreation(transaction: Transaction, calloutId: number | null): Promise<void> {
  if (!isPostgres) return;
  const shared = calloutId === null ? empty : raw('_shared');
  await transaction.query(sql`SELECT pg_advisory_xact_lock${shared}(${CREATION_LOCK}, ${EVERY_CALLOUT})`);
  if (calloutId === null) return;
  await transaction.query(sql`SELECT pg_advisory_xact_lock(${CREATION_LOCK}, ${calloutId % 2 ** 31})`);
}

function participations(operation: Scope): Sql {
  const condition = participationsInScope(operation);
  return limited('callout_participations', condition, operation.parameters);
}
