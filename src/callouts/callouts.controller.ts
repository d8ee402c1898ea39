import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { Id } from '../api/id.pipe.js';
import { type ListRequest, Listing } from '../api/list-request.js';
import { Creates, Deletes, Lists, Shows, Updates } from '../api/routes.js';
import { CalloutDto, CalloutEventDto } from './callout.dto.js';
import { calloutResource } from './callout.resource.js';
import { CalloutsService } from './callouts.service.js';

@ApiTags('callouts')
@Controller('api')
export class CalloutsController {
  constructor(private readonly callouts: CalloutsService) {}

  /** Lists callouts. */
  @Get('callouts')
  @Lists(calloutResource)
  list(@Listing() list: ListRequest) {
    return this.callouts.list(list);
  }

  /** Lists the callouts in which a contact takes part. */
  @Get('contacts/:id/callouts')
  @Lists(calloutResource, { under: true })
  listOfContact(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.callouts.listOfContact(id, list);
  }

  /** Creates a callout. */
  @Post('callouts')
  @Creates(calloutResource)
  create(@CheckedBody(CalloutDto, { optional: true }) callout: Checked<CalloutDto>) {
    return this.callouts.create(callout);
  }

  /** Fetches a callout. */
  @Get('callouts/:id')
  @Shows(calloutResource)
  find(@Param('id', Id) id: number) {
    return this.callouts.find(id);
  }

  /** Updates a callout. */
  @Patch('callouts/:id')
  @HttpCode(204)
  @Updates()
  update(@Param('id', Id) id: number, @UpdateBody(calloutResource) changes: CheckedUpdate<CalloutDto>) {
    return this.callouts.update(id, changes);
  }

  /** Updates a callout, as PATCH does. */
  @Put('callouts/:id')
  @HttpCode(204)
  @Updates()
  put(@Param('id', Id) id: number, @UpdateBody(calloutResource) changes: CheckedUpdate<CalloutDto>) {
    return this.callouts.update(id, changes);
  }

  /** Deletes a callout that no other record refers to. */
  @Delete('callouts/:id')
  @HttpCode(204)
  @Deletes()
  delete(@Param('id', Id) id: number) {
    return this.callouts.delete(id);
  }

  /** Starts, pauses, resumes or stops a callout. */
  @Post('callouts/:id/callout_events')
  @Creates(calloutResource, { under: true })
  transition(@Param('id', Id) id: number, @CheckedBody(CalloutEventDto) event: Checked<CalloutEventDto>) {
    return this.callouts.transition(id, event);
  }
}
