import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { KeysetListQuery, type ListRequest } from '../api/list-request.js';
import { ListRoute } from '../api/routes.js';
import { eventResource } from './event.resource.js';
import { EventsService } from './events.service.js';

@ApiTags('events')
@Controller('api')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  /**
   * Lists events, oldest first. To follow events, repeat the request with the last id seen as `after_id`: no event is
   * missed or repeated. Events are kept for `EVENTS_KEPT_DAYS`.
   */
  @Get('events')
  @ListRoute(eventResource, { keysetOnly: true })
  list(@KeysetListQuery() list: ListRequest) {
    return this.events.list(list);
  }
}
