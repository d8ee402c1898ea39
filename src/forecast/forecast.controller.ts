import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { ReportQuery, type ReportRequest } from '../api/report-query.js';
import { ReportRoute } from '../api/routes.js';
import { TaggedResponse } from '../api/tagged-response.js';
import { Forecast } from './forecast.dto.js';
import { ForecastService } from './forecast.service.js';

@ApiTags('coverage')
@Controller('api/callouts/:id')
export class ForecastController {
  constructor(private readonly forecasts: ForecastService) {}

  /**
   * Forecasts how long a callout takes, before its start and while it runs. A paused callout is taken to be resumed
   * now. One that is stopped or completed calls nobody.
   */
  @Get('forecast')
  @ReportRoute({
    type: Forecast,
    description: 'The forecast. The `ETag` does not change when only time passes, and the times with it.',
  })
  async report(@Param('id', ParseIdPipe) id: number, @ReportQuery() request: ReportRequest) {
    const { forecast, content } = await this.forecasts.report(id, request);
    return new TaggedResponse(forecast, content);
  }
}
