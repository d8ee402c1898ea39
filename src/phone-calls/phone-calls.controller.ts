import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { Id } from '../api/id.pipe.js';
import { type ListRequest, Listing } from '../api/list-request.js';
import { Creates, Deletes, Lists, Shows, Updates } from '../api/routes.js';
import { CreatePhoneCallDto, PhoneCallEventDto, UpdatePhoneCallDto } from './phone-call.dto.js';
import { phoneCallResource } from './phone-call.resource.js';
import { PhoneCallsService } from './phone-calls.service.js';

@ApiTags('phone calls')
@Controller('api')
export class PhoneCallsController {
  constructor(private readonly phoneCalls: PhoneCallsService) {}

  /** Lists phone calls. */
  @Get('phone_calls')
  @Lists(phoneCallResource)
  list(@Listing() list: ListRequest) {
    return this.phoneCalls.list(list);
  }

  /** Lists the phone calls of a contact. */
  @Get('contacts/:id/phone_calls')
  @Lists(phoneCallResource, { under: true })
  listOfContact(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.phoneCalls.listOfContact(id, list);
  }

  /** Lists the phone calls of a callout. */
  @Get('callouts/:id/phone_calls')
  @Lists(phoneCallResource, { under: true })
  listOfCallout(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.phoneCalls.listOfCallout(id, list);
  }

  /** Lists the attempts to call a participant. */
  @Get('callout_participations/:id/phone_calls')
  @Lists(phoneCallResource, { under: true })
  listOfParticipation(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.phoneCalls.listOfParticipation(id, list);
  }

  /** Creates an attempt to call a participant, to be queued. */
  @Post('callout_participations/:id/phone_calls')
  @Creates(phoneCallResource, { under: true })
  create(@Param('id', Id) id: number, @CheckedBody(CreatePhoneCallDto) call: Checked<CreatePhoneCallDto>) {
    return this.phoneCalls.create(id, call);
  }

  /** Fetches a phone call. */
  @Get('phone_calls/:id')
  @Shows(phoneCallResource)
  find(@Param('id', Id) id: number) {
    return this.phoneCalls.find(id);
  }

  /** Updates a phone call. */
  @Patch('phone_calls/:id')
  @HttpCode(204)
  @Updates()
  update(@Param('id', Id) id: number, @UpdateBody(phoneCallResource) changes: CheckedUpdate<UpdatePhoneCallDto>) {
    return this.phoneCalls.update(id, changes);
  }

  /** Updates a phone call, as PATCH does. */
  @Put('phone_calls/:id')
  @HttpCode(204)
  @Updates()
  put(@Param('id', Id) id: number, @UpdateBody(phoneCallResource) changes: CheckedUpdate<UpdatePhoneCallDto>) {
    return this.phoneCalls.update(id, changes);
  }

  /** Deletes a phone call that was never queued. */
  @Delete('phone_calls/:id')
  @HttpCode(204)
  @Deletes()
  delete(@Param('id', Id) id: number) {
    return this.phoneCalls.delete(id);
  }

  /** Queues a phone call to be dialed, or requests to fetch its state from the provider. */
  @Post('phone_calls/:id/phone_call_events')
  @Creates(phoneCallResource, { under: true })
  transition(@Param('id', Id) id: number, @CheckedBody(PhoneCallEventDto) event: Checked<PhoneCallEventDto>) {
    return this.phoneCalls.transition(id, event);
  }
}
