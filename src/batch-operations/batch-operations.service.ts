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
import { newRun } from './new-run.js';
import { type ListedTable, listedResources } from './types/listed-resources.js';
import { skipsPreview } from './types/phone-call-scope.js';

/** The statuses in which a worker may run the batch operation. */
const BUSY_STATUSES: readonly BatchOperationStatus[] = ['queued', 'running'];

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

  /** @throws ValidationError with everything that is wrong, filters included */
  create(body: Checked<CreateBatchOperationDto>): Promise<Row> {
    return this.createFor(body.dto.callout_id, body);
  }

  /** @throws NotFoundError if the callout does not exist */
  async createUnder(calloutId: number, body: Checked<CreateCalloutBatchOperationDto>): Promise<Row> {
    await this.records.find(calloutResource, calloutId);
    return this.createFor(calloutId, body);
  }

  /** @throws ValidationError if the parameters change while a worker may run the batch operation */
  async update(id: number, body: CheckedUpdate<UpdateBatchOperationDto>): Promise<void> {
    // The parameters are validated before the record is locked, because the query of the preview can be slow.
    const before = await this.records.find(batchOperationResource, id);
    const { parameters: changed } = changesTo(batchOperationResource, before, body).changes;
    const { callout_id, type } = before as unknown as BatchOperation;
    const parameterErrors = changed ? await this.validateDraft(type, { callout_id, parameters: changed }) : {};
    await this.unitOfWork.run(async (transaction) => {
      const shown = await this.records.findForUpdate(batchOperationResource, id, transaction);
      const { status } = shown as unknown as BatchOperation;
      const { changes, errors } = changesTo(batchOperationResource, shown, body);
      if (changes.parameters && !errors.parameters) Object.assign(errors, parameterErrors);
      if (changes.parameters && BUSY_STATUSES.includes(status)) errors.parameters = [messages.cannotChange(status)];
      throwIfInvalid(errors);
      await updateRow(transaction, BatchOperation, id, changes);
    });
  }

  /** @throws ValidationError while a worker may run the batch operation, or other records refer to it */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      const { status } = await findForUpdate(transaction, BatchOperation, id);
      if (BUSY_STATUSES.includes(status))
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
   * Queues a batch operation to run from the beginning. The row makes a worker run it; the queue is only notified.
   * @throws ValidationError if the current status does not allow the event
   */
  async transition(id: number, event: Checked<BatchOperationEventDto>): Promise<Row> {
    const queued = await this.unitOfWork.run(async (transaction) => {
      await transition(transaction, BatchOperation, id, batchOperationMachine, event, newRun);
      return this.records.find(batchOperationResource, id, transaction);
    });
    this.queue.notify({ task: 'batch_operation', id });
    return queued;
  }

  /**
   * Lists the rows that running the batch operation now would touch, or those that it has touched.
   * @throws NotFoundError if its type has no such list
   */
  async listRows(which: 'preview' | 'results', listed: ListedTable, id: number, list: ListRequest): Promise<Page> {
    this.records.assertValidFilters(listedResources[listed], list);
    const operation = (await this.records.find(batchOperationResource, id)) as unknown as BatchOperation;
    const type = this.types.get(operation.type);
    const condition = type[which][listed];
    if (!condition) throw new NotFoundError();
    const page = await this.records.list(listedResources[listed], list, condition(operation));
    // Lists with `after_id` skip the count, which would slow down each page.
    const leftOut = which === 'preview' && list.afterId === undefined ? type.leftOut?.[listed] : undefined;
    if (leftOut) page.leftOut = await this.records.countListed(listedResources[listed], list, leftOut(operation));
    return page;
  }

  /** @returns the errors of a draft. An empty preview is an error only if there is no other. */
  private async validateDraft(typeName: string, draft: Draft): Promise<FieldErrors> {
    const type = this.types.get(typeName);
    const errors = type.validate(draft);
    const { needsPreview, source } = type;
    if (!needsPreview || Object.keys(errors).length > 0 || skipsPreview(draft.parameters)) return errors;
    const condition = type.preview[source]!({ id: 0, ...draft });
    return (await this.records.exists(listedResources[source], condition)) ? {} : { [needsPreview]: [messages.blank] };
  }

  private async createFor(calloutId: unknown, body: Checked<CreateCalloutBatchOperationDto>): Promise<Row> {
    const { type, parameters = {}, metadata = {} } = body.dto;
    const draft = { parameters: body.errors.parameters ? {} : parameters };
    // Validated before the transaction, because the query of the preview can be slow.
    const draftErrors = body.errors.type
      ? {}
      : await this.validateDraft(type, { callout_id: parseId(calloutId) ?? null, ...draft });
    return this.unitOfWork.run(async (transaction) => {
      const callout = await findForKeyShare(transaction, Callout, calloutId);
      const isMissing = !body.errors.type && calloutId !== undefined && !callout;
      throwIfInvalid({
        ...body.errors,
        // If the callout does not exist, its preview is empty. That is no further error.
        ...(isMissing ? this.types.get(type).validate({ callout_id: null, ...draft }) : draftErrors),
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
