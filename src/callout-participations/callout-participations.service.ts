import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { calloutResource } from '../callouts/callout.resource.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { contactResource } from '../contacts/contact.resource.js';
import { findForUpdate, findForKeyShare, assertNoDependents, updateRow } from '../database/rows.js';
import { violatedUniqueIndex } from '../database/database-errors.js';
import type { Transaction } from '../database/transaction.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Checked, CheckedUpdate } from '../api/checked-body.js';
import { type FieldErrors, ValidationError, NotFoundError, messages, throwIfInvalid } from '../errors/errors.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { changesTo } from '../api/resources/changes.js';
import { lockCalloutStatus } from '../outcomes/lock-callout-status.js';
import { firstOutcome, refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import type { CreateCalloutParticipationDto, UpdateCalloutParticipationDto } from './callout-participation.dto.js';
import { CalloutParticipation } from './callout-participation.entity.js';
import { calloutParticipationResource } from './callout-participation.resource.js';
import { contactValueFilterIn } from './contact-values.js';

@Injectable()
export class CalloutParticipationsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(calloutParticipationResource, list);
  }

  listOfCallout(calloutId: number, list: ListRequest): Promise<Page> {
    const scope = sql`callout_participations.callout_id = ${calloutId}`;
    const { filters } = calloutParticipationResource;
    const own = contactValueFilterIn(calloutId, 'contact_metadata');
    const resource = { ...calloutParticipationResource, filters: { ...filters, ...own } };
    return this.records.listUnder(calloutResource, calloutId, resource, list, scope);
  }

  listOfContact(contactId: number, list: ListRequest): Promise<Page> {
    const scope = sql`callout_participations.contact_id = ${contactId}`;
    return this.records.listUnder(contactResource, contactId, calloutParticipationResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(calloutParticipationResource, id);
  }

  /**
   * Adds one contact to a callout.
   * @throws NotFoundError if the callout does not exist
   * @throws ValidationError if a field is invalid, the contact does not exist, or the contact or number takes part
   *   already
   */
  async create(calloutId: number, body: Checked<CreateCalloutParticipationDto>): Promise<Row> {
    const { dto } = body;
    return this.unitOfWork
      .run(async (transaction) => {
        await lockCalloutStatus(transaction, calloutId, 'share');
        const callout = await findForKeyShare(transaction, Callout, calloutId);
        if (!callout) throw new NotFoundError();
        const errors: FieldErrors = { ...body.errors };
        const contact = await findForKeyShare(transaction, Contact, dto.contact_id);
        if (!contact) errors.contact = [messages.mustExist];
        if (!contact || Object.keys(errors).length > 0) throw new ValidationError(errors);
        const { call_flow_logic, metadata = {}, msisdn = contact.msisdn } = dto;
        throwIfInvalid(await this.takenErrors(transaction, { callout_id: calloutId, contact_id: contact.id, msisdn }));
        const id = await transaction.insert(CalloutParticipation, {
          callout_id: calloutId,
          contact_id: contact.id,
          msisdn,
          call_flow_logic,
          metadata: metadata as object,
          outcome: await firstOutcome(transaction, calloutId),
        });
        // The metadata of the client may say that the person has confirmed.
        if (Object.keys(metadata as object).length > 0) await refreshOutcomes(transaction, [id]);
        return this.records.find(calloutParticipationResource, id, transaction);
      })
      .catch(rethrowTaken);
  }

  /** @throws ValidationError if a field is invalid, the new number takes part already, or the old one may be called */
  async update(id: number, body: CheckedUpdate<UpdateCalloutParticipationDto>): Promise<void> {
    await this.unitOfWork
      .run(async (transaction) => {
        await lockStatusOf(transaction, id);
        const row = await this.records.findForUpdate(calloutParticipationResource, id, transaction);
        const { changes, errors } = changesTo(calloutParticipationResource, row, body);
        if ('msisdn' in changes) Object.assign(errors, await this.placedCallErrors(transaction, id));
        throwIfInvalid(errors);
        await updateRow(transaction, CalloutParticipation, id, changes);
        if ('metadata' in changes) await refreshOutcomes(transaction, [id]);
      })
      .catch(rethrowTaken);
  }

  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      await findForUpdate(transaction, CalloutParticipation, id);
      await assertNoDependents(transaction, {
        'phone calls': sql`SELECT 1 FROM phone_calls WHERE callout_participation_id = ${id}`,
      });
      await transaction.delete(CalloutParticipation, id);
    });
  }

  /**
   * Returns an error if a call of the participation is past `created`. Its number must not change, because it records
   * who was called.
   */
  private async placedCallErrors(transaction: Transaction, id: number): Promise<FieldErrors> {
    const [call] = await transaction.query<Pick<PhoneCall, 'id' | 'status'>>(
      sql`SELECT id, status FROM phone_calls WHERE callout_participation_id = ${id} AND status <> 'created' LIMIT 1`,
    );
    return call ? { msisdn: [`cannot change because status of phone call ${call.id} is ${call.status}`] } : {};
  }

  /** Returns an error for each field that takes part already. A violated unique index would report only one of them. */
  private async takenErrors(
    transaction: Transaction,
    { callout_id, contact_id, msisdn }: Pick<CalloutParticipation, 'callout_id' | 'contact_id' | 'msisdn'>,
  ): Promise<FieldErrors> {
    const rows = await transaction.query<
      Pick<CalloutParticipation, 'contact_id' | 'msisdn'>
    >(sql`SELECT contact_id, msisdn FROM callout_participations
        WHERE callout_id = ${callout_id} AND (contact_id = ${contact_id} OR msisdn = ${msisdn})`);
    return {
      ...(rows.some((row) => row.contact_id === contact_id) && { contact_id: [messages.taken] }),
      ...(rows.some((row) => row.msisdn === msisdn) && { msisdn: [messages.taken] }),
    };
  }
}

/** Locks the status of a participation's callout. A change of the metadata may open the participation again. */
async function lockStatusOf(transaction: Transaction, id: number): Promise<void> {
  const [row] = await transaction.query<Pick<CalloutParticipation, 'callout_id'>>(
    sql`SELECT callout_id FROM callout_participations WHERE id = ${id}`,
  );
  if (row) await lockCalloutStatus(transaction, row.callout_id, 'share');
}

/**
 * @throws ValidationError for a unique index that a concurrent request caused to be violated; otherwise the same error
 */
function rethrowTaken(error: unknown): never {
  const field = {
    callout_participations_callout_id_contact_id_key: 'contact_id',
    callout_participations_callout_id_msisdn_key: 'msisdn',
  }[violatedUniqueIndex(error) ?? ''];
  throw field ? new ValidationError({ [field]: [messages.taken] }) : error;
}
