import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import type { ReportRequest } from '../api/report-query.js';
import { Records } from '../api/resources/records.js';
import { contactsLeftOut } from '../batch-operations/types/callout-population.type.js';
import { REST } from '../callout-participations/contact-values.js';
import { populationParametersOf } from '../callouts/audience.js';
import { contactResource } from '../contacts/contact.resource.js';
import { parseJson, toIsoTimestamp } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
import { NotFoundError } from '../errors/errors.js';
import type { Metadata } from '../metadata/metadata.js';
import { type Outcome, outcomeGroups } from '../outcomes/outcome-names.js';
import type { Coverage, CoverageCounts, CoverageGroup } from './coverage.dto.js';
import { type CoverageRow, coverageStatement } from './coverage-statement.js';
import { readGroupBy } from './group-by.js';

/** Reports what came of a callout. */
@Injectable()
export class CoverageService {
  constructor(
    private readonly reader: Reader,
    private readonly records: Records,
  ) {}

  /**
   * Counts the people of a callout by outcome, and with `group_by` also by a value of their contacts. All numbers are
   * of one moment.
   *
   * @throws NotFoundError
   * @throws ValidationError when a parameter is invalid
   */
  async report(calloutId: number, { parameters, answer }: ReportRequest): Promise<Coverage> {
    const leftOut = await this.leftOutOf(calloutId);
    const path = readGroupBy(parameters);
    const rows = await this.reader.scan<CoverageRow>(coverageStatement(calloutId, path, leftOut), answer);
    const [first] = rows;
    if (!first) throw new NotFoundError();
    return {
      callout_id: calloutId,
      status: first.status,
      at: toIsoTimestamp(first.at),
      ...countsIn(rows),
      left_out: { do_not_call: first.do_not_call },
      clocks: {
        started_at: optionalTime(first.started_at),
        first_ring_at: optionalTime(first.first_ring_at),
        half_first_tried_at: optionalTime(first.half_first_tried_at),
        nine_tenths_first_tried_at: optionalTime(first.nine_tenths_first_tried_at),
        last_ring_at: optionalTime(first.last_ring_at),
      },
      ...(path && { groups: groupsIn(rows) }),
    };
  }

  /**
   * Lists the contacts that match the audience of a callout, and are left out because they opted out.
   *
   * @throws NotFoundError
   * @throws FilterError
   */
  async listLeftOut(calloutId: number, list: ListRequest): Promise<Page> {
    this.records.assertValidFilters(contactResource, list);
    return this.records.list(contactResource, list, await this.leftOutOf(calloutId));
  }

  /**
   * @returns the condition of the contacts that the audience of a callout leaves out
   * @throws NotFoundError
   */
  private async leftOutOf(calloutId: number): Promise<Sql> {
    const callout = await this.reader.row<{ audience: unknown }>(
      sql`SELECT audience FROM callouts WHERE id = ${calloutId}`,
    );
    if (!callout) throw new NotFoundError();
    const audience = parseJson<Metadata | null>(callout.audience);
    if (!audience) return sql`FALSE`;
    return contactsLeftOut({ callout_id: calloutId, parameters: populationParametersOf(audience) });
  }
}

function optionalTime(time: Date | string | null): string | null {
  return time === null ? null : toIsoTimestamp(time);
}

/** @returns the groups in the rows of a report, the largest first */
function groupsIn(rows: readonly CoverageRow[]): CoverageGroup[] {
  const groups = new Map<string | null, CoverageRow[]>();
  for (const row of rows) {
    if (row.outcome === null) continue;
    const value = row.is_rest ? REST : row.value;
    const group = groups.get(value);
    if (group) group.push(row);
    else groups.set(value, [row]);
  }
  return [...groups]
    .map(([value, ofGroup]) => ({ value, ...countsIn(ofGroup) }))
    .toSorted((one, other) => other.total - one.total || compareValues(one.value, other.value));
}

/** Null is first. The order is the same each time, so that the `ETag` is. */
function compareValues(one: string | null, other: string | null): number {
  if (one === null || other === null) return one === null ? -1 : 1;
  return one < other ? -1 : 1;
}

function countsIn(rows: readonly CoverageRow[]): Pick<CoverageCounts, keyof CoverageCounts> {
  const people: Partial<Record<Outcome, number>> = {};
  for (const { outcome, people: count } of rows) if (outcome) people[outcome] = (people[outcome] ?? 0) + count;
  const count = <Name extends Outcome>(outcomes: readonly Name[]) => {
    const each = Object.fromEntries(outcomes.map((one) => [one, people[one] ?? 0])) as Record<Name, number>;
    return { total: outcomes.reduce((sum, one) => sum + each[one], 0), ...each };
  };
  const counts = {
    reached: count(outcomeGroups.reached),
    not_reached: count(outcomeGroups.not_reached),
    not_called: count(outcomeGroups.not_called),
    open: count(outcomeGroups.open),
  };
  return { total: Object.values(counts).reduce((sum, { total }) => sum + total, 0), ...counts };
}
