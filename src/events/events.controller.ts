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
   * Lists what happened, oldest first. To follow events, ask again with the last id that was seen as `after_id`: no
   * event is missed, and none comes twice. Events are kept for `EVENTS_KEPT_DAYS`.
   */
  @Get('events')
  @ListRoute(eventResource, { keysetOnly: true })
  list(@KeysetListQuery() list: ListRequest) {
    return this.events.list(list);
  }
}
