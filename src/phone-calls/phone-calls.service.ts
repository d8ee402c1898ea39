import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import { calloutParticipationResource } from '../callout-participations/callout-participation.resource.js';
import { calloutResource } from '../callouts/callout.resource.js';
import { contactResource } from '../contacts/contact.resource.js';
import { jsonCast, now } from '../database/dialect.js';
import { findForUpdate, findForKeyShare, assertNoDependents, updateRow } from '../database/rows.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type Checked, type CheckedUpdate, validDto } from '../api/checked-body.js';
import { ValidationError, NotFoundError, messages, throwIfInvalid } from '../errors/errors.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { changesTo } from '../api/resources/changes.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import { refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import { nextStatus } from '../state-machine/transition.js';
import type { CreatePhoneCallDto, PhoneCallEventDto, UpdatePhoneCallDto } from './phone-call.dto.js';
import { PhoneCall } from './phone-call.entity.js';
import { insertion, movePhoneCalls } from './phone-call-transitions.js';
import { type PhoneCallStatus, phoneCallMachine } from './phone-call.machine.js';
import { phoneCallResource } from './phone-call.resource.js';

/** Reads and changes phone calls for API clients. */
@Injectable()
export class PhoneCallsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(phoneCallResource, list);
  }

  listOfContact(contactId: number, list: ListRequest): Promise<Page> {
    const scope = sql`phone_calls.contact_id = ${contactId}`;
    return this.records.listUnder(contactResource, contactId, phoneCallResource, list, scope);
  }

  listOfCallout(calloutId: number, list: ListRequest): Promise<Page> {
    const scope = sql`phone_calls.callout_id = ${calloutId}`;
    return this.records.listUnder(calloutResource, calloutId, phoneCallResource, list, scope);
  }

  listOfParticipation(participationId: number, list: ListRequest): Promise<Page> {
    const scope = sql`phone_calls.callout_participation_id = ${participationId}`;
    return this.records.listUnder(calloutParticipationResource, participationId, phoneCallResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(phoneCallResource, id);
  }

  /**
   * Creates a phone call for a participation. It is dialed only after the event `queue`.
   * @throws NotFoundError when the participation does not exist
   * @throws ValidationError when the body is invalid
   */
  async create(participationId: number, body: Checked<CreatePhoneCallDto>): Promise<Row> {
    return this.unitOfWork.run(async (transaction) => {
      const participation = await findForKeyShare(transaction, CalloutParticipation, participationId);
      if (!participation) throw new NotFoundError();
      const { msisdn = participation.msisdn, call_flow_logic, metadata = {}, remote_request_params } = validDto(body);
      const { columns, values } = insertion('create', {});
      const [call] = await transaction.query<{
        id: number;
      }>(sql`INSERT INTO phone_calls
            (callout_participation_id, callout_id, contact_id, msisdn, call_flow_logic, metadata,
            remote_request_params, ${columns})
          VALUES (${participation.id}, ${participation.callout_id}, ${participation.contact_id}, ${msisdn},
            ${call_flow_logic ?? null}, ${JSON.stringify(metadata)}${jsonCast},
            ${JSON.stringify(remote_request_params)}${jsonCast}, ${values})
          RETURNING id`);
      return this.records.find(phoneCallResource, call!.id, transaction);
    });
  }

  /**
   * Updates a phone call. Its number and request parameters cannot change after it was queued, so that the row shows
   * who was called.
   * @throws NotFoundError when the phone call does not exist
   * @throws ValidationError when the body is invalid or changes one of these attributes after `created`
   */
  async update(id: number, body: CheckedUpdate<UpdatePhoneCallDto>): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const shown = await this.records.findForUpdate(phoneCallResource, id, transaction);
      const { changes, errors } = changesTo(phoneCallResource, shown, body);
      for (const key of ['msisdn', 'remote_request_params'] as const) {
        if (key in changes && shown.status !== 'created') errors[key] = [messages.cannotChange(shown.status as string)];
      }
      throwIfInvalid(errors);
      await updateRow(transaction, PhoneCall, id, changes);
      // The metadata say whether a machine answered.
      const participation = shown.callout_participation_id as number | null;
      if ('metadata' in changes && participation !== null) await refreshOutcomes(transaction, [participation]);
    });
  }

  /**
   * Queues a call to be dialed, or requests to fetch its state from the provider. The row is the message: the
   * dispatcher finds it.
   * @throws NotFoundError when the phone call does not exist
   * @throws ValidationError when the event is not possible now
   */
  async transition(id: number, event: Checked<PhoneCallEventDto>): Promise<Row> {
    return this.unitOfWork.run(async (transaction) => {
      const { status } = await findForUpdate(transaction, PhoneCall, id);
      const move =
        nextStatus<PhoneCallStatus>(phoneCallMachine, status, event) === 'queued' ? 'queue' : 'queue_remote_fetch';
      const where = sql`id = ${id}`;
      const moved =
        move === 'queue'
          ? await movePhoneCalls(transaction, move, { values: {}, where })
          : await movePhoneCalls(transaction, move, { values: { check_at: now, checks: 0 }, where });
      if (moved.length === 0) throw new ValidationError({ event: [messages.notIncluded] });
      return this.records.find(phoneCallResource, id, transaction);
    });
  }

  /**
   * Deletes a phone call that was never queued.
   * @throws NotFoundError when the phone call does not exist
   * @throws ValidationError when its status is not `created`, or it has webhooks
   */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const { status } = await findForUpdate(transaction, PhoneCall, id);
      if (status !== 'created') {
        throw new ValidationError({ base: [`Cannot delete record because status is ${status}`] });
      }
      await assertNoDependents(transaction, {
        'remote phone call events': sql`SELECT 1 FROM remote_phone_call_events WHERE phone_call_id = ${id}`,
      });
      await transaction.delete(PhoneCall, id);
    });
  }
}
