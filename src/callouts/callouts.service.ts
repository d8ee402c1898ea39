import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { contactResource } from '../contacts/contact.resource.js';
import { now } from '../database/dialect.js';
import { locked, refuseWhileUsed } from '../database/rows.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { ListRequest } from '../http/list-request.js';
import type { Page } from '../http/pagination.js';
import { mergeMetadata } from '../metadata/metadata.js';
import { Records } from '../resources/records.js';
import type { Row } from '../resources/resource.js';
import { transition } from '../state-machine/transition.js';
import type { CalloutDto } from './callout.dto.js';
import { Callout } from './callout.entity.js';
import { calloutMachine } from './callout.machine.js';
import { calloutResource } from './callout.resource.js';

@Injectable()
export class CalloutsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(calloutResource, list);
  }

  /** The callouts in which a contact takes part. */
  listOfContact(contactId: number, list: ListRequest): Promise<Page> {
    const joined = sql`SELECT callout_id FROM callout_participations WHERE contact_id = ${contactId}`;
    const scope = sql`callouts.id IN (${joined})`;
    return this.records.listUnder(contactResource, contactId, calloutResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(calloutResource, id);
  }

  async create({ call_flow_logic, metadata = {} }: CalloutDto): Promise<Row> {
    return this.unitOfWork.run(async (manager) => {
      const row = { status: 'initialized', call_flow_logic, metadata: metadata as object } as const;
      const { identifiers } = await manager.insert(Callout, row);
      return this.records.find(calloutResource, identifiers[0]!.id as number, manager);
    });
  }

  async update(id: number, { call_flow_logic, metadata, metadata_merge_mode: mode }: CalloutDto): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const callout = await locked(manager, Callout, id);
      await manager.update(Callout, id, {
        call_flow_logic,
        metadata: metadata && (mergeMetadata(callout.metadata, metadata, mode) as object),
        updated_at: () => now.text,
      });
    });
  }

  /** @throws Invalid when the event cannot happen now */
  async transition(id: number, event: unknown): Promise<Row> {
    return this.unitOfWork.run(async (manager) => {
      await transition(manager, Callout, id, calloutMachine, event);
      return this.records.find(calloutResource, id, manager);
    });
  }

  /** @throws Invalid while anything refers to the callout */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await locked(manager, Callout, id);
      await refuseWhileUsed(manager, {
        'callout participations': sql`SELECT 1 FROM callout_participations WHERE callout_id = ${id}`,
        'batch operations': sql`SELECT 1 FROM batch_operations WHERE callout_id = ${id}`,
        'phone calls': sql`SELECT 1 FROM phone_calls WHERE callout_id = ${id}`,
      });
      await manager.delete(Callout, id);
    });
  }
}
