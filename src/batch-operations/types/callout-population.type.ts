import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { INCLUDE_DO_NOT_CALL, notOptedOut, optedOut } from '../../contacts/opted-out.js';
import { contactResource } from '../../contacts/contact.resource.js';
import { Callout } from '../../callouts/callout.entity.js';
import { findForKeyShare } from '../../database/rows.js';
import { lockCalloutStatus } from '../../outcomes/lock-callout-status.js';
import { firstOutcome } from '../../outcomes/refresh-outcomes.js';
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
  type ChunkLimits,
  type ListConditions,
  type Draft,
  type Scope,
  type ChunkResult,
} from './batch-operation-type.js';
import { CALLOUT_POPULATION, CONTACT_FILTERS, populationErrors } from './population-parameters.js';
import { selectFewMatches } from './few-matches.js';
import { nextIdWindow } from './id-window.js';

/**
 * Adds the contacts that match its filters to a callout, except those whose contact or number already takes part.
 * Contacts who opted out are left out unless `include_do_not_call` is true.
 */
@Injectable()
@BatchOperationTypeName(CALLOUT_POPULATION)
export class CalloutPopulationType implements BatchOperationType {
  readonly target = 'callout_participations';

  readonly source = 'contacts';

  readonly preview: ListConditions = { contacts: contactsToAdd };

  readonly leftOut: ListConditions = { contacts: contactsLeftOut };

  readonly results: ListConditions = {
    contacts: ({ id }) =>
      sql`contacts.id IN (SELECT contact_id FROM callout_participations WHERE callout_population_id = ${id})`,
    callout_participations: ({ id }) => sql`callout_participations.callout_population_id = ${id}`,
  };

  validate({ callout_id, parameters }: Draft): FieldErrors {
    return {
      ...(callout_id === null && { callout: [messages.mustExist] }),
      ...populationErrors(parameters),
    };
  }

  /**
   * Relies on the unique indexes to skip contacts that already take part. A condition for that can take minutes if the
   * planner misjudges how many there are.
   */
  async runChunk(
    transaction: Transaction,
    operation: BatchOperation,
    { windowSize }: ChunkLimits,
  ): Promise<ChunkResult> {
    const { cursor } = operation;
    const few =
      cursor === 0
        ? await selectFewMatches(transaction, and(selectedConditions(operation)), operation.parameters[CONTACT_FILTERS])
        : undefined;
    if (few) {
      const last = Math.max(0, ...few);
      const processed = await this.addContacts(transaction, operation, inList(sql`contacts.id`, few));
      return { cursor: last, scanned: few.length, done: true, processed };
    }
    const window = await nextIdWindow(transaction, 'contacts', cursor, windowSize);
    const inWindow = sql`contacts.id > ${cursor} AND contacts.id <= ${window.cursor}`;
    return { ...window, processed: await this.addContacts(transaction, operation, inWindow) };
  }

  private async addContacts(transaction: Transaction, operation: BatchOperation, range: Sql): Promise<number> {
    const { id, callout_id } = operation;
    if (callout_id === null) return 0;
    await lockCalloutStatus(transaction, callout_id, 'share');
    const callout = await findForKeyShare(transaction, Callout, callout_id);
    if (!callout) return 0;
    const outcome = await firstOutcome(transaction, callout_id);
    return transaction.execute(sql`INSERT INTO callout_participations
        (callout_id, contact_id, callout_population_id, msisdn, outcome)
        SELECT ${callout_id}, contacts.id, ${id}, contacts.msisdn, ${outcome} FROM contacts
        WHERE ${range} AND ${and(selectedConditions(operation))}
        ORDER BY contacts.id ${lockContacts}
        ON CONFLICT DO NOTHING`);
  }
}

/** Skips a contact that is deleted at the same time. Without the lock, the foreign key would fail the chunk. */
const lockContacts = lockClause('FOR KEY SHARE OF contacts');

/** The condition of the contacts that running the population now would add. */
export function contactsToAdd(operation: Pick<Scope, 'callout_id' | 'parameters'>): Sql {
  return and([...selectedConditions(operation), ...notInCallout(operation)]);
}

/** The condition of the contacts that a population with these parameters leaves out because they opted out. */
export function contactsLeftOut(population: Pick<Scope, 'callout_id' | 'parameters'>): Sql {
  if (includesOptedOut(population.parameters)) return sql`FALSE`;
  return and([...filterConditions(population.parameters), ...notInCallout(population), optedOut]);
}

/**
 * The condition of the contacts that a population with these parameters passes over, because they take part already.
 *
 * @param participations the condition of the participations that count
 */
export function contactsPassedOver(
  { callout_id, parameters }: Pick<Scope, 'callout_id' | 'parameters'>,
  participations: Sql,
): Sql {
  const taken = (column: Sql) => sql`(SELECT ${column} FROM callout_participations
    WHERE callout_participations.callout_id = ${callout_id} AND ${participations})`;
  return and([
    ...selectedConditions({ parameters }),
    sql`(contacts.id IN ${taken(sql`contact_id`)} OR contacts.msisdn IN ${taken(sql`msisdn`)})`,
  ]);
}

/** The conditions of the contacts that match the population's filters and have not opted out. */
function selectedConditions({ parameters }: Pick<Scope, 'parameters'>): Sql[] {
  return [...filterConditions(parameters), ...(includesOptedOut(parameters) ? [] : [notOptedOut])];
}

function filterConditions(parameters: Metadata): Sql[] {
  return [conditionOf(contactResource.filters, parameters[CONTACT_FILTERS])];
}

/** The conditions of the contacts that do not take part in the callout, by contact and by number. */
function notInCallout({ callout_id }: Pick<Scope, 'callout_id'>): Sql[] {
  const inCallout = sql`SELECT 1 FROM callout_participations AS present WHERE present.callout_id = ${callout_id}`;
  return [
    sql`NOT EXISTS (${inCallout} AND present.contact_id = contacts.id)`,
    sql`NOT EXISTS (${inCallout} AND present.msisdn = contacts.msisdn)`,
  ];
}

function includesOptedOut(parameters: Metadata): boolean {
  return booleanOf(parameters[INCLUDE_DO_NOT_CALL]) === true;
}
