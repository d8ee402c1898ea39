import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { contactResource } from '../../contacts/contact.resource.js';
import { affectedBy, rowsOf } from '../../database/statements.js';
import { allOf, conditionOf } from '../../filters/filter.js';
import { type FieldErrors, messages } from '../../http/errors.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type { BatchOperationKind, Conditions, Draft, Step } from './batch-operation.kind.js';
import { filterErrors, unknownParameters } from './parameters.js';

/** Contacts that one transaction looks at: few enough for it to be over in a moment, enough for its cost not to matter. */
const CHUNK = 5_000;

/** Adds to a callout each contact that its filters leave and that is not in it yet, by contact or by number. */
@Injectable()
export class CalloutPopulationKind implements BatchOperationKind {
  readonly type = 'BatchOperation::CalloutPopulation';

  readonly source = 'contacts';

  readonly preview: Conditions = { contacts: notYetIn };

  readonly results: Conditions = {
    contacts: ({ id }) =>
      sql`contacts.id IN (SELECT contact_id FROM callout_participations WHERE callout_population_id = ${id})`,
    callout_participations: ({ id }) => sql`callout_participations.callout_population_id = ${id}`,
  };

  validate({ calloutExists, parameters }: Draft): FieldErrors {
    return {
      ...(!calloutExists && { callout: [messages.mustExist] }),
      ...unknownParameters(parameters, ['contact_filter_params']),
      ...filterErrors(parameters, 'contact_filter_params', contactResource),
    };
  }

  async step(manager: EntityManager, operation: BatchOperation): Promise<Step> {
    const { id, callout_id, cursor } = operation;
    const [window] = await rowsOf<{ last: number | null; size: number }>(
      manager,
      sql`SELECT max(id) AS last, count(*) AS size
        FROM (SELECT id FROM contacts WHERE id > ${cursor} ORDER BY id LIMIT ${CHUNK}) AS next`,
    );
    const last = window?.last ?? cursor;
    const processed = await affectedBy(
      manager,
      sql`INSERT INTO callout_participations (callout_id, contact_id, callout_population_id, msisdn)
        SELECT ${callout_id}, contacts.id, ${id}, contacts.msisdn FROM contacts
        WHERE contacts.id > ${cursor} AND contacts.id <= ${last} AND ${notYetIn(operation)}
        ORDER BY contacts.id
        ON CONFLICT DO NOTHING`,
    );
    return { cursor: last, processed, done: (window?.size ?? 0) < CHUNK };
  }
}

/** The contacts that the population's filters leave and that its callout has not got. */
function notYetIn({ callout_id, parameters }: BatchOperation): Sql {
  const inCallout = sql`SELECT 1 FROM callout_participations AS present WHERE present.callout_id = ${callout_id}`;
  return allOf([
    conditionOf(contactResource.filters, parameters.contact_filter_params),
    sql`NOT EXISTS (${inCallout} AND present.contact_id = contacts.id)`,
    sql`NOT EXISTS (${inCallout} AND present.msisdn = contacts.msisdn)`,
  ]);
}
