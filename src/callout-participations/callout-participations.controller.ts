import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { CreateRoute, DeleteRoute, ListRoute, ShowRoute, UpdateRoute } from '../api/routes.js';
import { CreateCalloutParticipationDto, UpdateCalloutParticipationDto } from './callout-participation.dto.js';
import { calloutParticipationResource } from './callout-participation.resource.js';
import { CalloutParticipationsService } from './callout-participations.service.js';

@ApiTags('callout participations')
@Controller('api')
export class CalloutParticipationsController {
  constructor(private readonly participations: CalloutParticipationsService) {}

  /** Lists callout participations. */
  @Get('callout_participations')
  @ListRoute(calloutParticipationResource)
  list(@ListQuery() list: ListRequest) {
    return this.participations.list(list);
  }

  /** Lists the participations in a callout. */
  @Get('callouts/:id/callout_participations')
  @ListRoute(calloutParticipationResource, { nested: true })
  listOfCallout(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.participations.listOfCallout(id, list);
  }

  /** Lists the participations of a contact. */
  @Get('contacts/:id/callout_participations')
  @ListRoute(calloutParticipationResource, { nested: true })
  listOfContact(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.participations.listOfContact(id, list);
  }

  /** Adds a contact to a callout. */
  @Post('callouts/:id/callout_participations')
  @CreateRoute(calloutParticipationResource, { nested: true })
  create(
    @Param('id', ParseIdPipe) id: number,
    @CheckedBody(CreateCalloutParticipationDto) participation: Checked<CreateCalloutParticipationDto>,
  ) {
    return this.participations.create(id, participation);
  }

  /** Fetches a callout participation. */
  @Get('callout_participations/:id')
  @ShowRoute(calloutParticipationResource)
  find(@Param('id', ParseIdPipe) id: number) {
    return this.participations.find(id);
  }

  /** Updates a callout participation. */
  @Patch('callout_participations/:id')
  @HttpCode(204)
  @UpdateRoute()
  update(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(calloutParticipationResource) changes: CheckedUpdate<UpdateCalloutParticipationDto>,
  ) {
    return this.participations.update(id, changes);
  }

  /** Updates a callout participation, as PATCH does. */
  @Put('callout_participations/:id')
  @HttpCode(204)
  @UpdateRoute()
  put(
    @Param('id', ParseIdPipe) id: number,
    @UpdateBody(calloutParticipationResource) changes: CheckedUpdate<UpdateCalloutParticipationDto>,
  ) {
    return this.participations.update(id, changes);
  }

  /** Removes a contact from a callout. */
  @Delete('callout_participations/:id')
  @HttpCode(204)
  @DeleteRoute()
  delete(@Param('id', ParseIdPipe) id: number) {
    return this.participations.delete(id);
  }
}
