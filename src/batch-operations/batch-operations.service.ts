import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { Callout } from '../callouts/callout.entity.js';
import { calloutResource } from '../callouts/callout.resource.js';
import { parseId, findForUpdate, findForKeyShare, assertNoDependents, updateRow } from '../database/rows.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Checked, CheckedUpdate } from '../api/checked-body.js';
import { type FieldErrors, ValidationError, NotFoundError, messages, throwIfInvalid } from '../errors/errors.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { Queue } from '../jobs/queue.port.js';
import { changesTo } from '../api/resources/changes.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import { transition } from '../state-machine/transition.js';
import type {
  BatchOperationEventDto,
  CreateBatchOperationDto,
  CreateCalloutBatchOperationDto,
  UpdateBatchOperationDto,
} from './batch-operation.dto.js';
import { BatchOperation } from './batch-operation.entity.js';
import { type BatchOperationStatus, batchOperationMachine } from './batch-operation.machine.js';
import { batchOperationResource } from './batch-operation.resource.js';
import type { Draft } from './types/batch-operation-type.js';
import { BatchOperationRegistry } from './batch-operation-registry.js';
import { type Listed, listedResources } from './types/listed.js';
import { skipsPreview } from './types/phone-call-scope.js';

/** While it is in these, a worker may be at it. */
const AT_WORK: readonly BatchOperationStatus[] = ['queued', 'running'];

@Injectable()
export class BatchOperationsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
    private readonly types: BatchOperationRegistry,
    private readonly queue: Queue,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(batchOperationResource, list);
  }

  listOfCallout(calloutId: number, list: ListRequest): Promise<Page> {
    const scope = sql`batch_operations.callout_id = ${calloutId}`;
    return this.records.listUnder(calloutResource, calloutId, batchOperationResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(batchOperationResource, id);
  }

  /** @throws ValidationError with everything that is wrong with it, its filters included */
  create(body: Checked<CreateBatchOperationDto>): Promise<Row> {
    return this.createFor(body.dto.callout_id, body);
  }

  /** @throws NotFoundError when there is no such callout */
  async createUnder(calloutId: number, body: Checked<CreateCalloutBatchOperationDto>): Promise<Row> {
    await this.records.find(calloutResource, calloutId);
    return this.createFor(calloutId, body);
  }

  /** @throws ValidationError when its parameters are to change while a worker may be at it */
  async update(id: number, body: CheckedUpdate<UpdateBatchOperationDto>): Promise<void> {
    // What is broken in the parameters is asked before the record is locked: a look at the preview may take long.
    const before = await this.records.find(batchOperationResource, id);
    const { parameters: changed } = changesTo(batchOperationResource, before, body).changes;
    const { callout_id, type } = before as unknown as BatchOperation;
    const broken = changed ? await this.errorsOf(type, { callout_id, parameters: changed }) : {};
    await this.unitOfWork.run(async (transaction) => {
      const shown = await this.records.findForUpdate(batchOperationResource, id, transaction);
      const { status } = shown as unknown as BatchOperation;
      const { changes, errors } = changesTo(batchOperationResource, shown, body);
      if (changes.parameters && !errors.parameters) Object.assign(errors, broken);
      if (changes.parameters && AT_WORK.includes(status)) errors.parameters = [messages.cannotChange(status)];
      throwIfInvalid(errors);
      await updateRow(transaction, BatchOperation, id, changes);
    });
  }

  /** @throws ValidationError while a worker may be at it, or anything refers to it */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const { status } = await findForUpdate(transaction, BatchOperation, id);
      if (AT_WORK.includes(status))
        throw new ValidationError({ base: [`Cannot delete record because status is ${status}`] });
      await assertNoDependents(transaction, {
        'callout participations': sql`SELECT 1 FROM callout_participations WHERE callout_population_id = ${id}`,
        'phone calls': sql`SELECT 1 FROM phone_calls WHERE create_batch_operation_id = ${id}
          OR queue_batch_operation_id = ${id} OR queue_remote_fetch_batch_operation_id = ${id}`,
      });
      await transaction.delete(BatchOperation, id);
    });
  }

  /**
   * Queues it, from its beginning; a worker takes it from there. The row is what makes it happen: the queue is only told.
   * @throws ValidationError when the event cannot happen now
   */
  async transition(id: number, event: Checked<BatchOperationEventDto>): Promise<Row> {
    const afresh = {
      cursor: 0,
      processed: 0,
      total: null,
      error: null,
      attempts: 0,
      lease_token: null,
      leased_until: null,
    };
    const queued = await this.unitOfWork.run(async (transaction) => {
      await transition(transaction, BatchOperation, id, batchOperationMachine, event, afresh);
      return this.records.find(batchOperationResource, id, transaction);
    });
    this.queue.notify({ task: 'batch_operation', id });
    return queued;
  }

  /** The rows that running it now would touch, or those that it has touched. */
  async listRows(which: 'preview' | 'results', listed: Listed, id: number, list: ListRequest): Promise<Page> {
    this.records.assertValidFilters(listedResources[listed], list);
    const operation = (await this.records.find(batchOperationResource, id)) as unknown as BatchOperation;
    const type = this.types.get(operation.type);
    const condition = type[which][listed];
    if (!condition) throw new NotFoundError();
    const page = await this.records.list(listedResources[listed], list, condition(operation));
    // Whoever walks by `after_id` shall not pay for a count on each page.
    const leftOut = which === 'preview' && list.afterId === undefined ? type.leftOut?.[listed] : undefined;
    if (leftOut) page.leftOut = await this.records.countListed(listedResources[listed], list, leftOut(operation));
    return page;
  }

  /** What is broken in a draft; an empty preview only when nothing else is. */
  private async errorsOf(typeName: string, draft: Draft): Promise<FieldErrors> {
    const type = this.types.get(typeName);
    const errors = type.validate(draft);
    const { needsPreview, source } = type;
    if (!needsPreview || Object.keys(errors).length > 0 || skipsPreview(draft.parameters)) return errors;
    const condition = type.preview[source]!({ id: 0, ...draft });
    return (await this.records.exists(listedResources[source], condition)) ? {} : { [needsPreview]: [messages.blank] };
  }

  private async createFor(calloutId: unknown, body: Checked<CreateCalloutBatchOperationDto>): Promise<Row> {
    const { type, parameters = {}, metadata = {} } = body.dto;
    const given = { parameters: body.errors.parameters ? {} : parameters };
    // Before the transaction: a look at the preview may take long. Whether there is the callout is asked within it.
    const found = body.errors.type
      ? {}
      : await this.errorsOf(type, { callout_id: parseId(calloutId) ?? null, ...given });
    return this.unitOfWork.run(async (transaction) => {
      const callout = await findForKeyShare(transaction, Callout, calloutId);
      const isMissing = !body.errors.type && calloutId !== undefined && !callout;
      throwIfInvalid({
        ...body.errors,
        // The preview of a callout that does not exist is empty: that says nothing more.
        ...(isMissing ? this.types.get(type).validate({ callout_id: null, ...given }) : found),
        ...(isMissing && { callout: [messages.mustExist] }),
      });
      const id = await transaction.insert(BatchOperation, {
        type,
        callout_id: callout?.id ?? null,
        parameters: parameters as object,
        metadata: metadata as object,
        status: 'preview',
      });
      return this.records.find(batchOperationResource, id, transaction);
    });
  }
}
