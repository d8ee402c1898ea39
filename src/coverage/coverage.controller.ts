import { Controller, Get, Param } from '@nestjs/common';
import { type ApiQueryOptions, ApiTags } from '@nestjs/swagger';
import { CsvResponse } from '../api/csv-response.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { ReportQuery, type ReportRequest } from '../api/report-query.js';
import { ListRoute, ReportRoute } from '../api/routes.js';
import { TaggedResponse } from '../api/tagged-response.js';
import { MAX_GROUPS } from '../callout-participations/contact-values.js';
import { contactResource } from '../contacts/contact.resource.js';
import { coverageCsv } from './coverage-csv.js';
import { Coverage, TimelineInterval } from './coverage.dto.js';
import { CoverageService } from './coverage.service.js';
import { DEFAULT_EVERY, MAX_INTERVALS, TimelineService } from './timeline.service.js';

const groupBy: ApiQueryOptions = {
  name: 'group_by',
  description:
    'Also counts the people for each value at this path of their contacts’ metadata: `metadata.province`, ' +
    `\`metadata.address.city\` or \`metadata[address][city]\`. The ${MAX_GROUPS} most frequent values have a group.`,
  schema: { type: 'string' },
  example: 'metadata.province',
};

@ApiTags('coverage')
@Controller('api/callouts/:id')
export class CoverageController {
  constructor(
    private readonly coverage: CoverageService,
    private readonly timeline: TimelineService,
  ) {}

  /**
   * Reports what came of a callout: how many people have each outcome. The people of each number are listed by
   * `GET /api/callouts/{id}/callout_participations?q[outcome]=…`, those of a group with
   * `q[contact_metadata][province]=…`, and those of `left_out.do_not_call` by
   * `GET /api/callouts/{id}/left_out/contacts`.
   */
  @Get('coverage')
  @ReportRoute({ type: Coverage, description: 'The report. All numbers are of the same moment.' }, groupBy)
  async report(@Param('id', ParseIdPipe) id: number, @ReportQuery() request: ReportRequest) {
    const coverage = await this.coverage.report(id, request);
    const { at: _, ...content } = coverage;
    return new TaggedResponse(coverage, content);
  }

  /** Reports what came of a callout as a CSV file: a row for each group, or one row without `group_by`. */
  @Get('coverage.csv')
  @ReportRoute(
    {
      description:
        'The table: RFC 4180 in UTF-8, with a byte order mark. A value that looks like a formula has an apostrophe ' +
        'before it, except a phone number.',
      content: { 'text/csv': { schema: { type: 'string' } } },
    },
    groupBy,
  )
  async csv(@Param('id', ParseIdPipe) id: number, @ReportQuery() request: ReportRequest) {
    const coverage = await this.coverage.report(id, request);
    return new CsvResponse(coverageCsv(coverage), `callout-${id}-coverage.csv`);
  }

  /** Lists the contacts that match the audience of a callout and are left out because they opted out. */
  @Get('left_out/contacts')
  @ListRoute(contactResource, { nested: true })
  leftOut(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.coverage.listLeftOut(id, list);
  }

  /** Reports when people were called and reached, by intervals from the first dialed call on, for a curve. */
  @Get('timeline')
  @ReportRoute(
    { type: TimelineInterval, isArray: true, description: 'All intervals, also those in which nothing happened.' },
    {
      name: 'every',
      description: `The length of an interval (s). There may be at most ${MAX_INTERVALS} intervals.`,
      schema: { type: 'integer', minimum: 1, default: DEFAULT_EVERY },
    },
  )
  curve(@Param('id', ParseIdPipe) id: number, @ReportQuery() request: ReportRequest) {
    return this.timeline.report(id, request);
  }
}
