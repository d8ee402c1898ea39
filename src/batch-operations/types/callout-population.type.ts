import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { INCLUDE_DO_NOT_CALL, didNotOptOut, optedOut } from '../../contacts/opted-out.js';
import { contactResource } from '../../contacts/contact.resource.js';
import { inList, lockClause } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { and, conditionOf } from '../../api/filters/filter.js';
import { type FieldErrors, messages } from '../../errors/errors.js';
import { booleanOf } from '../../metadata/client-values.js';
import type { Metadata } from '../../metadata/metadata.js';
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
import { booleanErrors, filterErrors, unknownParameters } from './parameters.js';
import { fewMatches } from './few-matches.js';
import { nextWindow } from './window.js';

const FILTERS = 'contact_filter_params';

/**
 * Adds to a callout each contact that its filters leave and that is not in it yet, by contact or by number. Those who asked for no more
 * calls are left out, unless `include_do_not_call` is true.
 */
@Injectable()
@BatchOperationTypeName('BatchOperation::CalloutPopulation')
export class CalloutPopulationType implements BatchOperationType {
  readonly target = 'callout_participations';

  readonly source = 'contacts';

  readonly preview: Conditions = { contacts: toBeAdded };

  readonly leftOut: Conditions = {
    contacts: (operation) =>
      includesOptedOut(operation.parameters)
        ? sql`FALSE`
        : and([...filtered(operation.parameters), ...notIn(operation), optedOut]),
  };

  readonly results: Conditions = {
    contacts: ({ id }) =>
      sql`contacts.id IN (SELECT contact_id FROM callout_participations WHERE callout_population_id = ${id})`,
    callout_participations: ({ id }) => sql`callout_participations.callout_population_id = ${id}`,
  };

  validate({ callout_id, parameters }: Draft): FieldErrors {
    return {
      ...(callout_id === null && { callout: [messages.mustExist] }),
      ...unknownParameters(parameters, [FILTERS, INCLUDE_DO_NOT_CALL]),
      ...filterErrors(parameters, FILTERS, contactResource),
      ...booleanErrors(parameters, INCLUDE_DO_NOT_CALL),
    };
  }

  /** The unique indexes pass over the contacts that are in the callout already: a planner that misjudges them would look for minutes. */
  async step(transaction: Transaction, operation: BatchOperation, { size }: Bounds): Promise<Step> {
    const { cursor } = operation;
    const few =
      cursor === 0 ? await fewMatches(transaction, and(wanted(operation)), operation.parameters[FILTERS]) : undefined;
    if (few) {
      const last = Math.max(0, ...few);
      const processed = await this.add(transaction, operation, inList(sql`contacts.id`, few));
      return { cursor: last, looked: few.length, done: true, processed };
    }
    const window = await nextWindow(transaction, 'contacts', cursor, size);
    const inWindow = sql`contacts.id > ${cursor} AND contacts.id <= ${window.cursor}`;
    return { ...window, processed: await this.add(transaction, operation, inWindow) };
  }

  private add(transaction: Transaction, operation: BatchOperation, range: Sql): Promise<number> {
    const { id, callout_id } = operation;
    return transaction.execute(sql`INSERT INTO callout_participations (callout_id, contact_id, callout_population_id, msisdn)
        SELECT ${callout_id}, contacts.id, ${id}, contacts.msisdn FROM contacts
        WHERE ${range} AND ${and(wanted(operation))}
        ORDER BY contacts.id ${keep}
        ON CONFLICT DO NOTHING`);
  }
}

/** A contact that is deleted meanwhile is passed over, instead of failing the chunk. */
const keep = lockClause('FOR KEY SHARE OF contacts');

/** The contacts that running the population now would add. */
function toBeAdded(operation: Scope): Sql {
  return and([...wanted(operation), ...notIn(operation)]);
}

/** The contacts that the population's filters leave, without those who opted out. */
function wanted({ parameters }: Scope): Sql[] {
  return [...filtered(parameters), ...(includesOptedOut(parameters) ? [] : [didNotOptOut])];
}

function filtered(parameters: Metadata): Sql[] {
  return [conditionOf(contactResource.filters, parameters[FILTERS])];
}

/** The contacts that the population's callout has not got. */
function notIn({ callout_id }: Scope): Sql[] {
  const inCallout = sql`SELECT 1 FROM callout_participations AS present WHERE present.callout_id = ${callout_id}`;
  return [
    sql`NOT EXISTS (${inCallout} AND present.contact_id = contacts.id)`,
    sql`NOT EXISTS (${inCallout} AND present.msisdn = contacts.msisdn)`,
  ];
}

function includesOptedOut(parameters: Metadata): boolean {
  return booleanOf(parameters[INCLUDE_DO_NOT_CALL]) === true;
}
