import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { findForUpdate, assertNoDependents, updateRow } from '../database/rows.js';
import { violatedUniqueIndex } from '../database/database-errors.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type Checked, type CheckedUpdate, validDto } from '../api/checked-body.js';
import { ValidationError, messages, throwIfInvalid } from '../errors/errors.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { changesTo } from '../api/resources/changes.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import { calloutResource } from '../callouts/callout.resource.js';
import type { Metadata } from '../metadata/metadata.js';
import { refreshMovedContacts } from '../outcomes/refresh-moved-contacts.js';
import type { CreateContactDto, UpdateContactDto } from './contact.dto.js';
import { Contact } from './contact.entity.js';
import { contactResource } from './contact.resource.js';

@Injectable()
export class ContactsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(contactResource, list);
  }

  /** Lists the contacts that take part in a callout. @throws NotFoundError if the callout does not exist */
  listOfCallout(calloutId: number, list: ListRequest): Promise<Page> {
    const participants = sql`SELECT contact_id FROM callout_participations WHERE callout_id = ${calloutId}`;
    const scope = sql`contacts.id IN (${participants})`;
    return this.records.listUnder(calloutResource, calloutId, contactResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(contactResource, id);
  }

  /** @throws ValidationError if a field is invalid, or another contact has the number */
  async create(contact: Checked<CreateContactDto>): Promise<Row> {
    const { msisdn, metadata = {} } = validDto(contact);
    const [created] = await this.unitOfWork
      .query<Row>(
        sql`INSERT INTO contacts (msisdn, metadata) VALUES (${msisdn}, ${JSON.stringify(metadata)})
          RETURNING ${contactResource.columns}`,
      )
      .catch(rethrowTakenNumber);
    return contactResource.present(created!);
  }

  /** @throws ValidationError if a field is invalid, or another contact has the number */
  async update(id: number, body: CheckedUpdate<UpdateContactDto>): Promise<void> {
    await this.unitOfWork
      .run(async (transaction) => {
        // Others may still insert rows that refer to the contact, and hold locks that are needed below.
        const row = await this.records.findForChange(contactResource, id, transaction);
        const { changes, errors } = changesTo(contactResource, row, body);
        throwIfInvalid(errors);
        await updateRow(transaction, Contact, id, changes);
        const contact = { id, before: row.metadata as Metadata, after: (changes.metadata ?? row.metadata) as Metadata };
        // A new number locks the contact as a deletion does.
        await refreshMovedContacts(transaction, [contact], { noWait: 'msisdn' in changes });
      })
      .catch(rethrowTakenNumber);
  }

  /** @throws ValidationError while other records refer to the contact */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      await findForUpdate(transaction, Contact, id);
      await assertNoDependents(transaction, {
        'callout participations': sql`SELECT 1 FROM callout_participations WHERE contact_id = ${id}`,
        'phone calls': sql`SELECT 1 FROM phone_calls WHERE contact_id = ${id}`,
      });
      await transaction.delete(Contact, id);
    });
  }
}

/** @throws ValidationError for a violation of the unique index of `msisdn`; otherwise the same error */
function rethrowTakenNumber(error: unknown): never {
  if (violatedUniqueIndex(error) === 'contacts_msisdn_key') throw new ValidationError({ msisdn: [messages.taken] });
  throw error;
}
