import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { calloutParticipationResource } from '../callout-participations/callout-participation.resource.js';
import { calloutResource } from '../callouts/callout.resource.js';
import { contactResource } from '../contacts/contact.resource.js';
import { updateRow } from '../database/rows.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { CheckedUpdate } from '../api/checked-body.js';
import { throwIfInvalid } from '../errors/errors.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import type { MetadataDto } from '../api/metadata.dto.js';
import { phoneCallResource } from '../phone-calls/phone-call.resource.js';
import { changesTo } from '../api/resources/changes.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import { RemotePhoneCallEvent } from './remote-phone-call-event.entity.js';
import { remotePhoneCallEventResource } from './remote-phone-call-event.resource.js';

/** The resources that events are listed under, with the column of phone calls that refers to each. */
const parents = {
  contacts: { resource: contactResource, column: sql`contact_id` },
  callouts: { resource: calloutResource, column: sql`callout_id` },
  callout_participations: { resource: calloutParticipationResource, column: sql`callout_participation_id` },
  phone_calls: { resource: phoneCallResource, column: sql`id` },
};
export type Parent = keyof typeof parents;

@Injectable()
export class RemotePhoneCallEventsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(remotePhoneCallEventResource, list);
  }

  /** Lists the events of the phone calls of one record. @throws NotFoundError if the record does not exist */
  listUnder(parent: Parent, id: number, list: ListRequest): Promise<Page> {
    const { resource, column } = parents[parent];
    const calls = sql`SELECT id FROM phone_calls WHERE ${column} = ${id}`;
    const scope = sql`remote_phone_call_events.phone_call_id IN (${calls})`;
    return this.records.listUnder(resource, id, remotePhoneCallEventResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(remotePhoneCallEventResource, id);
  }

  async update(id: number, body: CheckedUpdate<MetadataDto>): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const row = await this.records.findForUpdate(remotePhoneCallEventResource, id, transaction);
      const { changes, errors } = changesTo(remotePhoneCallEventResource, row, body);
      throwIfInvalid(errors);
      await updateRow(transaction, RemotePhoneCallEvent, id, changes);
    });
  }
}
