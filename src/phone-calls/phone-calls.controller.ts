import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { CreateRoute, DeleteRoute, ListRoute, ShowRoute, UpdateRoute } from '../api/routes.js';
import { CreatePhoneCallDto, PhoneCallEventDto, UpdatePhoneCallDto } from './phone-call.dto.js';
import { phoneCallResource } from './phone-call.resource.js';
import { PhoneCallsService } from './phone-calls.service.js';

@ApiTags('phone calls')
@Controller('api')
export class PhoneCallsController {
  constructor(private readonly phoneCalls: PhoneCallsService) {}

  /** Lists phone calls. */
  @Get('phone_calls')
  @ListRoute(phoneCallResource)
  list(@ListQuery() list: ListRequest) {
    return this.phoneCalls.list(list);
  }

  /** Lists the phone calls of a contact. */
  @Get('contacts/:id/phone_calls')
  @ListRoute(phoneCallResource, { nested: true })
  listOfContact(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.phoneCalls.listOfContact(id, list);
  }

  /** Lists the phone calls of a callout. */
  @Get('callouts/:id/phone_calls')
  @ListRoute(phoneCallResource, { nested: true })
  listOfCallout(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.phoneCalls.listOfCallout(id, list);
  }

  /** Lists the attempts to call a participant. */
  @Get('callout_participations/:id/phone_calls')
  @ListRoute(phoneCallResource, { nested: true })
  listOfParticipation(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.phoneCalls.listOfParticipation(id, list);
  }

  /** Creates an attempt to call a participant, to be queued. */
  @Post('callout_participations/:id/phone_calls')
  @CreateRoute(phoneCallResource, { nested: true })
  create(@Param('id', ParseIdPipe) id: number, @CheckedBody(CreatePhoneCallDto) call: Checked<CreatePhoneCallDto>) {
    return this.phoneCalls.create(id, call);
  }

  /** Fetches a phone call. */
  @Get('phone_calls/:id')
  @ShowRoute(phoneCallResource)
  find(@Param('id', ParseIdPipe) id: number) {
    return this.phoneCalls.find(id);
  }

  /** Updates a phone call. */
  @Patch('phone_calls/:id')
  @HttpCode(204)
  @UpdateRoute()
  update(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(phoneCallResource) changes: CheckedUpdate<UpdatePhoneCallDto>,
  ) {
    return this.phoneCalls.update(id, changes);
  }

  /** Updates a phone call, as PATCH does. */
  @Put('phone_calls/:id')
  @HttpCode(204)
  @UpdateRoute()
  put(@Param('id', ParseIdPipe) id: number, @UpdateBody(phoneCallResource) changes: CheckedUpdate<UpdatePhoneCallDto>) {
    return this.phoneCalls.update(id, changes);
  }

  /** Deletes a phone call that was never queued. */
  @Delete('phone_calls/:id')
  @HttpCode(204)
  @DeleteRoute()
  delete(@Param('id', ParseIdPipe) id: number) {
    return this.phoneCalls.delete(id);
  }

  /** Queues a phone call to be dialed, or requests to fetch its state from the provider. */
  @Post('phone_calls/:id/phone_call_events')
  @CreateRoute(phoneCallResource, { nested: true })
  transition(@Param('id', ParseIdPipe) id: number, @CheckedBody(PhoneCallEventDto) event: Checked<PhoneCallEventDto>) {
    return this.phoneCalls.transition(id, event);
  }
}
