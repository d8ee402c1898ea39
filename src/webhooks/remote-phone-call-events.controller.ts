import { Controller, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { Public } from '../server/public.js';
import { RawBody } from '../server/request-bodies.js';
import { ListRoute, ProviderWebhookRoute, ShowRoute, UpdateRoute } from '../api/routes.js';
import { UpdateRemotePhoneCallEventDto } from './remote-phone-call-event.dto.js';
import { remotePhoneCallEventResource } from './remote-phone-call-event.resource.js';
import { RemotePhoneCallEventsService } from './remote-phone-call-events.service.js';
import { type RawWebhook, Webhook } from './webhook.js';
import { WebhookService } from './webhook.service.js';

@ApiTags('remote phone call events')
@Controller('api')
export class RemotePhoneCallEventsController {
  constructor(
    private readonly events: RemotePhoneCallEventsService,
    private readonly webhooks: WebhookService,
  ) {}

  /** Receives a webhook of the provider about a call, and replies with the TwiML to perform. */
  @Post('remote_phone_call_events')
  @Public()
  @RawBody()
  @ProviderWebhookRoute()
  receive(@Webhook() webhook: RawWebhook) {
    return this.webhooks.handle(webhook);
  }

  /** Lists the events that the provider reported. */
  @Get('remote_phone_call_events')
  @ListRoute(remotePhoneCallEventResource)
  list(@ListQuery() list: ListRequest) {
    return this.events.list(list);
  }

  /** Lists the events of a contact's phone calls. */
  @Get('contacts/:id/remote_phone_call_events')
  @ListRoute(remotePhoneCallEventResource, { nested: true })
  listOfContact(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.events.listUnder('contacts', id, list);
  }

  /** Lists the events of a callout's phone calls. */
  @Get('callouts/:id/remote_phone_call_events')
  @ListRoute(remotePhoneCallEventResource, { nested: true })
  listOfCallout(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.events.listUnder('callouts', id, list);
  }

  /** Lists the events of a participation's phone calls. */
  @Get('callout_participations/:id/remote_phone_call_events')
  @ListRoute(remotePhoneCallEventResource, { nested: true })
  listOfParticipation(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.events.listUnder('callout_participations', id, list);
  }

  /** Lists the events of a phone call. */
  @Get('phone_calls/:id/remote_phone_call_events')
  @ListRoute(remotePhoneCallEventResource, { nested: true })
  listOfPhoneCall(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.events.listUnder('phone_calls', id, list);
  }

  /** Fetches an event. */
  @Get('remote_phone_call_events/:id')
  @ShowRoute(remotePhoneCallEventResource)
  find(@Param('id', ParseIdPipe) id: number) {
    return this.events.find(id);
  }

  /** Updates the metadata of an event. */
  @Patch('remote_phone_call_events/:id')
  @HttpCode(204)
  @UpdateRoute()
  update(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(remotePhoneCallEventResource) changes: CheckedUpdate<UpdateRemotePhoneCallEventDto>,
  ) {
    return this.events.update(id, changes);
  }

  /** Updates the metadata of an event, as PATCH does. */
  @Put('remote_phone_call_events/:id')
  @HttpCode(204)
  @UpdateRoute()
  put(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(remotePhoneCallEventResource) changes: CheckedUpdate<UpdateRemotePhoneCallEventDto>,
  ) {
    return this.events.update(id, changes);
  }
}
