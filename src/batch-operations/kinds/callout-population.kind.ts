import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { didNotOptOut, optedOut } from '../../contacts/opted-out.js';
import { contactResource } from '../../contacts/contact.resource.js';
import { locking } from '../../database/dialect.js';
import { affectedBy } from '../../database/statements.js';
import { allOf, conditionOf } from '../../filters/filter.js';
import { type FieldErrors, messages } from '../../http/errors.js';
import type { Metadata } from '../../metadata/metadata.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type { BatchOperationKind, Bounds, Conditions, Draft, Scope, Step } from './batch-operation.kind.js';
import { filterErrors, unknownParameters } from './parameters.js';
import { nextWindow } from './window.js';

const FILTERS = 'contact_filter_params';
const INCLUDE_OPTED_OUT = 'include_do_not_call';

/**
 * Adds to a callout each contact that its filters leave and that is not in it yet, by contact or by number. Those who asked for no more
 * calls are left out, unless `include_do_not_call` is true.
 */
@Injectable()
export class CalloutPopulationKind implements BatchOperationKind {
  readonly type = 'BatchOperation::CalloutPopulation';

  readonly source = 'contacts';

  readonly preview: Conditions = { contacts: toBeAdded };

  readonly leftOut: Conditions = {
    contacts: (operation) =>
      includesOptedOut(operation.parameters)
        ? sql`FALSE`
        : allOf([...filtered(operation.parameters), ...notIn(operation), optedOut]),
  };

  readonly results: Conditions = {
    contacts: ({ id }) =>
      sql`contacts.id IN (SELECT contact_id FROM callout_participations WHERE callout_population_id = ${id})`,
    callout_participations: ({ id }) => sql`callout_participations.callout_population_id = ${id}`,
  };

  validate({ callout_id, parameters }: Draft): FieldErrors {
    return {
      ...(callout_id === null && { callout: [messages.mustExist] }),
      ...unknownParameters(parameters, [FILTERS, INCLUDE_OPTED_OUT]),
      ...filterErrors(parameters, FILTERS, contactResource),
      ...(![undefined, true, false, 'true', 'false'].includes(parameters[INCLUDE_OPTED_OUT] as boolean) && {
        [INCLUDE_OPTED_OUT]: [messages.notIncluded],
      }),
    };
  }

  /** Whoever is in the callout already is left to its unique indexes: a database that misjudges its rows would take minutes to look. */
  async step(manager: EntityManager, operation: BatchOperation, { size }: Bounds): Promise<Step> {
    const { id, callout_id, cursor } = operation;
    const window = await nextWindow(manager, 'contacts', cursor, size);
    const processed = await affectedBy(
      manager,
      sql`INSERT INTO callout_participations (callout_id, contact_id, callout_population_id, msisdn)
        SELECT ${callout_id}, contacts.id, ${id}, contacts.msisdn FROM contacts
        WHERE contacts.id > ${cursor} AND contacts.id <= ${window.cursor} AND ${allOf(wanted(operation))}
        ORDER BY contacts.id ${keep}
        ON CONFLICT DO NOTHING`,
    );
    return { ...window, processed };
  }
}

/** A contact that is deleted meanwhile is passed over, instead of failing the chunk. */
const keep = locking('FOR KEY SHARE OF contacts');

/** The contacts that running the population now would add. */
function toBeAdded(operation: Scope): Sql {
  return allOf([...wanted(operation), ...notIn(operation)]);
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
  return [true, 'true'].includes(parameters[INCLUDE_OPTED_OUT] as boolean);
}
