import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { CallFlowRegistry } from '../call-flows/call-flow-registry.js';
import { contactResource } from '../contacts/contact.resource.js';
import { now } from '../database/dialect.js';
import { findForUpdate, assertNoDependents, updateRow } from '../database/rows.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type Checked, type CheckedUpdate, validDto } from '../api/checked-body.js';
import { throwIfInvalid } from '../errors/errors.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { changesTo } from '../api/resources/changes.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import { nextStatus, transition } from '../state-machine/transition.js';
import type { CalloutDto, CalloutEventDto } from './callout.dto.js';
import { Callout } from './callout.entity.js';
import { type CalloutStatus, calloutMachine } from './callout.machine.js';
import { calloutResource } from './callout.resource.js';

@Injectable()
export class CalloutsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
    private readonly callFlows: CallFlowRegistry,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(calloutResource, list);
  }

  /** Lists the callouts in which a contact takes part. @throws NotFoundError if the contact does not exist */
  listOfContact(contactId: number, list: ListRequest): Promise<Page> {
    const joined = sql`SELECT callout_id FROM callout_participations WHERE contact_id = ${contactId}`;
    const scope = sql`callouts.id IN (${joined})`;
    return this.records.listUnder(contactResource, contactId, calloutResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(calloutResource, id);
  }

  async create(callout: Checked<CalloutDto>): Promise<Row> {
    const { call_flow_logic, metadata = {} } = validDto(callout);
    return this.unitOfWork.run(async (transaction) => {
      const trial = { trial_began_at: () => now.text };
      const row = { status: 'initialized', call_flow_logic, metadata: metadata as object, ...trial } as const;
      const id = await transaction.insert(Callout, row);
      return this.records.find(calloutResource, id, transaction);
    });
  }

  /** @throws ValidationError if a field is invalid, or a running callout would have nothing to say */
  async update(id: number, body: CheckedUpdate<CalloutDto>): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const row = await this.records.findForUpdate(calloutResource, id, transaction);
      const { changes, errors } = changesTo(calloutResource, row, body);
      throwIfInvalid(errors);
      const isChanged = Object.keys(changes).length > 0;
      if (isChanged && row.status === 'running') this.assertCallFlowReady({ ...row, ...changes } as Callout);
      await updateRow(transaction, Callout, id, changes);
    });
  }

  /**
   * Sends an event to a callout.
   * @throws ValidationError if the status does not allow the event, or the callout is to run and its call flow rejects
   *   its metadata
   */
  async transition(id: number, event: Checked<CalloutEventDto>): Promise<Row> {
    return this.unitOfWork.run(async (transaction) => {
      const callout = await findForUpdate(transaction, Callout, id);
      const to = nextStatus<CalloutStatus>(calloutMachine, callout.status, event);
      if (to === 'running') this.assertCallFlowReady(callout);
      // The provider has accepted calls since the callout was last held, so that refusal is known no more.
      const isOver = callout.held_because === null && callout.trial_ended_at !== null;
      const trial = {
        trial_began_at: () => now.text,
        trial_ended_at: null,
        trial_code: null,
        trial_refusals: 0,
        ...(isOver && { held_code: null }),
      };
      const changes = {
        held_because: null,
        stopped_at: to === 'stopped' ? () => now.text : null,
        ...(to === 'running' && trial),
        // The outcomes of people who were never called depend on it (dialing/callout-outcomes.ts).
        ...((to === 'stopped') !== (callout.status === 'stopped') && { outcomes_cursor: 0 }),
      };
      await transition(transaction, Callout, id, calloutMachine, event, changes as object);
      return this.records.find(calloutResource, id, transaction);
    });
  }

  /** @throws ValidationError while other records refer to the callout */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      await findForUpdate(transaction, Callout, id);
      await assertNoDependents(transaction, {
        'callout participations': sql`SELECT 1 FROM callout_participations WHERE callout_id = ${id}`,
        'batch operations': sql`SELECT 1 FROM batch_operations WHERE callout_id = ${id}`,
        'phone calls': sql`SELECT 1 FROM phone_calls WHERE callout_id = ${id}`,
      });
      await transaction.delete(Callout, id);
    });
  }

  /** @throws ValidationError if the call flow rejects the metadata, for example because there is nothing to say */
  private assertCallFlowReady({ call_flow_logic, metadata }: Pick<Callout, 'call_flow_logic' | 'metadata'>): void {
    throwIfInvalid(this.callFlows.resolve(call_flow_logic).validateMetadata(metadata));
  }
}
