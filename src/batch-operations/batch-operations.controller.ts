import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { calloutParticipationResource } from '../callout-participations/callout-participation.resource.js';
import { contactResource } from '../contacts/contact.resource.js';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { CreateRoute, DeleteRoute, ListRoute, ShowRoute, UpdateRoute } from '../api/routes.js';
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
  @ListRoute(batchOperationResource)
  list(@ListQuery() list: ListRequest) {
    return this.batchOperations.list(list);
  }

  /** Lists the batch operations of a callout. */
  @Get('callouts/:id/batch_operations')
  @ListRoute(batchOperationResource, { nested: true })
  listOfCallout(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listOfCallout(id, list);
  }

  /** Creates a batch operation. It can be previewed before it is queued. */
  @Post('batch_operations')
  @CreateRoute(batchOperationResource)
  create(@CheckedBody(CreateBatchOperationDto) operation: Checked<CreateBatchOperationDto>) {
    return this.batchOperations.create(operation);
  }

  /** Creates a batch operation on a callout. It can be previewed before it is queued. */
  @Post('callouts/:id/batch_operations')
  @CreateRoute(batchOperationResource, { nested: true })
  createUnder(
    @Param('id', ParseIdPipe) id: number,
    @CheckedBody(CreateCalloutBatchOperationDto) operation: Checked<CreateCalloutBatchOperationDto>,
  ) {
    return this.batchOperations.createUnder(id, operation);
  }

  /** Fetches a batch operation. */
  @Get('batch_operations/:id')
  @ShowRoute(batchOperationResource)
  find(@Param('id', ParseIdPipe) id: number) {
    return this.batchOperations.find(id);
  }

  /** Updates a batch operation. Its parameters cannot change while it is queued or running. */
  @Patch('batch_operations/:id')
  @HttpCode(204)
  @UpdateRoute()
  update(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(batchOperationResource) changes: CheckedUpdate<UpdateBatchOperationDto>,
  ) {
    return this.batchOperations.update(id, changes);
  }

  /** Updates a batch operation, as PATCH does. */
  @Put('batch_operations/:id')
  @HttpCode(204)
  @UpdateRoute()
  put(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(batchOperationResource) changes: CheckedUpdate<UpdateBatchOperationDto>,
  ) {
    return this.batchOperations.update(id, changes);
  }

  /** Deletes a batch operation that no other record refers to. */
  @Delete('batch_operations/:id')
  @HttpCode(204)
  @DeleteRoute()
  delete(@Param('id', ParseIdPipe) id: number) {
    return this.batchOperations.delete(id);
  }

  /** Queues a batch operation, for the first time or again. */
  @Post('batch_operations/:id/batch_operation_events')
  @CreateRoute(batchOperationResource, { nested: true })
  transition(
    @Param('id', ParseIdPipe) id: number,
    @CheckedBody(BatchOperationEventDto) event: Checked<BatchOperationEventDto>,
  ) {
    return this.batchOperations.transition(id, event);
  }

  /** Lists the contacts that running the batch operation now would touch. */
  @Get('batch_operations/:id/preview/contacts')
  @ListRoute(contactResource, { nested: true, leftOutHeader: true })
  previewContacts(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listRows('preview', 'contacts', id, list);
  }

  /** Lists the contacts that the batch operation has touched. */
  @Get('batch_operations/:id/contacts')
  @ListRoute(contactResource, { nested: true })
  contacts(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listRows('results', 'contacts', id, list);
  }

  /** Lists the callout participations that the batch operation has touched. */
  @Get('batch_operations/:id/callout_participations')
  @ListRoute(calloutParticipationResource, { nested: true })
  calloutParticipations(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listRows('results', 'callout_participations', id, list);
  }

  /** Lists the phone calls that the batch operation has created, queued, or had looked up. */
  @Get('batch_operations/:id/phone_calls')
  @ListRoute(phoneCallResource, { nested: true })
  phoneCalls(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listRows('results', 'phone_calls', id, list);
  }

  /** Lists the callout participations that running the batch operation now would touch. */
  @Get('batch_operations/:id/preview/callout_participations')
  @ListRoute(calloutParticipationResource, { nested: true })
  previewCalloutParticipations(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listRows('preview', 'callout_participations', id, list);
  }

  /** Lists the phone calls that running the batch operation now would touch. */
  @Get('batch_operations/:id/preview/phone_calls')
  @ListRoute(phoneCallResource, { nested: true })
  previewPhoneCalls(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.batchOperations.listRows('preview', 'phone_calls', id, list);
  }
}
