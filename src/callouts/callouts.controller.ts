import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { CreateRoute, DeleteRoute, ListRoute, ShowRoute, UpdateRoute } from '../api/routes.js';
import { CalloutDto, CalloutEventDto } from './callout.dto.js';
import { calloutResource } from './callout.resource.js';
import { RecallReceipt } from '../recalls/recall-receipt.dto.js';
import { RecallReceipts } from '../recalls/recall-receipt.js';
import { CalloutsService } from './callouts.service.js';

@ApiTags('callouts')
@Controller('api')
export class CalloutsController {
  constructor(
    private readonly callouts: CalloutsService,
    private readonly receipts: RecallReceipts,
  ) {}

  /** Lists callouts. */
  @Get('callouts')
  @ListRoute(calloutResource)
  list(@ListQuery() list: ListRequest) {
    return this.callouts.list(list);
  }

  /** Lists the callouts in which a contact takes part. */
  @Get('contacts/:id/callouts')
  @ListRoute(calloutResource, { nested: true })
  listOfContact(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.callouts.listOfContact(id, list);
  }

  /** Creates a callout. */
  @Post('callouts')
  @CreateRoute(calloutResource)
  create(@CheckedBody(CalloutDto, { optional: true }) callout: Checked<CalloutDto>) {
    return this.callouts.create(callout);
  }

  /** Fetches a callout. */
  @Get('callouts/:id')
  @ShowRoute(calloutResource)
  find(@Param('id', ParseIdPipe) id: number) {
    return this.callouts.find(id);
  }

  /** Updates a callout. */
  @Patch('callouts/:id')
  @HttpCode(204)
  @UpdateRoute()
  update(@Param('id', ParseIdPipe) id: number, @UpdateBody(calloutResource) changes: CheckedUpdate<CalloutDto>) {
    return this.callouts.update(id, changes);
  }

  /** Updates a callout, as PATCH does. */
  @Put('callouts/:id')
  @HttpCode(204)
  @UpdateRoute()
  put(@Param('id', ParseIdPipe) id: number, @UpdateBody(calloutResource) changes: CheckedUpdate<CalloutDto>) {
    return this.callouts.update(id, changes);
  }

  /** Deletes a callout that no other record refers to. */
  @Delete('callouts/:id')
  @HttpCode(204)
  @DeleteRoute()
  delete(@Param('id', ParseIdPipe) id: number) {
    return this.callouts.delete(id);
  }

  /** Starts, pauses, resumes or stops a callout. */
  @Post('callouts/:id/callout_events')
  @CreateRoute(calloutResource, { nested: true })
  transition(@Param('id', ParseIdPipe) id: number, @CheckedBody(CalloutEventDto) event: Checked<CalloutEventDto>) {
    return this.callouts.transition(id, event);
  }

  /**
   * Fetches the receipt of the last stop of a callout, of its expiry, or of its last pause with `recall`: what could be
   * taken back. Its numbers are of people, and change until it is settled. 404 if nothing was recalled.
   */
  @Get('callouts/:id/recall')
  @ShowRoute({ model: RecallReceipt })
  receipt(@Param('id', ParseIdPipe) id: number) {
    return this.receipts.find(id);
  }
}
