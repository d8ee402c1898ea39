import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { calloutParticipationResource } from '../callout-participations/callout-participation.resource.js';
import { contactResource } from '../contacts/contact.resource.js';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { Id } from '../api/id.pipe.js';
import { type ListRequest, Listing } from '../api/list-request.js';
import { Creates, Deletes, Lists, Shows, Updates } from '../api/routes.js';
import { phoneCallResource } from '../phone-calls/phone-call.resource.js';
import {
  BatchOperationEventDto,
  CreateBatchOperationDto,
  CreateCalloutBatchOperationDto,
  UpdateBatchOperationDto,
} from './batch-operation.dto.js';
import { batchOperationResource } from './batch-operation.resource.js';
import { BatchOperationsService } from './batch-operations.service.js';

@ApiTags('batch operations')
@Controller('api')
export class BatchOperationsController {
  constructor(private readonly batchOperations: BatchOperationsService) {}

  /** Lists batch operations. */
  @Get('batch_operations')
  @Lists(batchOperationResource)
  list(@Listing() list: ListRequest) {
    return this.batchOperations.list(list);
  }

  /** Lists the batch operations of a callout. */
  @Get('callouts/:id/batch_operations')
  @Lists(batchOperationResource, { under: true })
  listOfCallout(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listOfCallout(id, list);
  }

  /** Creates a batch operation. It can be previewed before it is queued. */
  @Post('batch_operations')
  @Creates(batchOperationResource)
  create(@CheckedBody(CreateBatchOperationDto) operation: Checked<CreateBatchOperationDto>) {
    return this.batchOperations.create(operation);
  }

  /** Creates a batch operation on a callout. It can be previewed before it is queued. */
  @Post('callouts/:id/batch_operations')
  @Creates(batchOperationResource, { under: true })
  createUnder(
    @Param('id', Id) id: number,
    @CheckedBody(CreateCalloutBatchOperationDto) operation: Checked<CreateCalloutBatchOperationDto>,
  ) {
    return this.batchOperations.createUnder(id, operation);
  }

  /** Fetches a batch operation. */
  @Get('batch_operations/:id')
  @Shows(batchOperationResource)
  find(@Param('id', Id) id: number) {
    return this.batchOperations.find(id);
  }

  /** Updates a batch operation. Its parameters cannot change while it is queued or running. */
  @Patch('batch_operations/:id')
  @HttpCode(204)
  @Updates()
  update(
    @Param('id', Id) id: number,
    @UpdateBody(batchOperationResource) changes: CheckedUpdate<UpdateBatchOperationDto>,
  ) {
    return this.batchOperations.update(id, changes);
  }

  /** Updates a batch operation, as PATCH does. */
  @Put('batch_operations/:id')
  @HttpCode(204)
  @Updates()
  put(
    @Param('id', Id) id: number,
    @UpdateBody(batchOperationResource) changes: CheckedUpdate<UpdateBatchOperationDto>,
  ) {
    return this.batchOperations.update(id, changes);
  }

  /** Deletes a batch operation that no other record refers to. */
  @Delete('batch_operations/:id')
  @HttpCode(204)
  @Deletes()
  delete(@Param('id', Id) id: number) {
    return this.batchOperations.delete(id);
  }

  /** Queues a batch operation, for the first time or again. */
  @Post('batch_operations/:id/batch_operation_events')
  @Creates(batchOperationResource, { under: true })
  transition(@Param('id', Id) id: number, @CheckedBody(BatchOperationEventDto) event: Checked<BatchOperationEventDto>) {
    return this.batchOperations.transition(id, event);
  }

  /** Lists the contacts that running the batch operation now would touch. */
  @Get('batch_operations/:id/preview/contacts')
  @Lists(contactResource, { under: true, leavesOut: true })
  previewContacts(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listRows('preview', 'contacts', id, list);
  }

  /** Lists the contacts that the batch operation has touched. */
  @Get('batch_operations/:id/contacts')
  @Lists(contactResource, { under: true })
  contacts(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listRows('results', 'contacts', id, list);
  }

  /** Lists the callout participations that the batch operation has touched. */
  @Get('batch_operations/:id/callout_participations')
  @Lists(calloutParticipationResource, { under: true })
  calloutParticipations(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listRows('results', 'callout_participations', id, list);
  }

  /** Lists the phone calls that the batch operation has created, queued, or had looked up. */
  @Get('batch_operations/:id/phone_calls')
  @Lists(phoneCallResource, { under: true })
  phoneCalls(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listRows('results', 'phone_calls', id, list);
  }

  /** Lists the callout participations that running the batch operation now would touch. */
  @Get('batch_operations/:id/preview/callout_participations')
  @Lists(calloutParticipationResource, { under: true })
  previewCalloutParticipations(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listRows('preview', 'callout_participations', id, list);
  }

  /** Lists the phone calls that running the batch operation now would touch. */
  @Get('batch_operations/:id/preview/phone_calls')
  @Lists(phoneCallResource, { under: true })
  previewPhoneCalls(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.batchOperations.listRows('preview', 'phone_calls', id, list);
  }
}
