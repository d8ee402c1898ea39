import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { isPostgres } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
import { matchAll } from '../api/filters/filter.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { Records } from '../api/resources/records.js';
import { eventResource } from './event.resource.js';

/**
 * The greatest id up to which events are settled: each is visible to any later statement, or never will be. It is the
 * last id that was given out, or the smallest id that a transaction which writes events holds (docs/adr/0004).
 *
 * The last id must be read before the locks. It is: the subquery on `pg_locks` depends on the row of the sequence.
 */
const lastSettledId: Sql = sql`
  SELECT least(events_id_seq.last_value, (
    SELECT min(locks.id) FROM (
      SELECT ((classid::bigint << 32) | objid::bigint) - (7201::bigint << 48) AS id FROM pg_locks
      WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 7201
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS locks WHERE locks.id < events_id_seq.last_value
  )) AS id FROM events_id_seq`;

/** Lists events so that a reader who goes on from the last id misses none. */
@Injectable()
export class EventsService {
  constructor(
    private readonly records: Records,
    private readonly reader: Reader,
  ) {}

  /** @throws FilterError */
  async list(list: ListRequest): Promise<Page> {
    this.records.assertValidFilters(eventResource, list);
    return this.records.list(eventResource, list, await this.isSettled());
  }

  /** The condition that an event is settled. SQLite has one writer at a time, so ids become visible in their order. */
  private async isSettled(): Promise<Sql> {
    if (!isPostgres) return matchAll;
    const last = await this.reader.row<{ id: number }>(lastSettledId);
    return sql`events.id <= ${last!.id}`;
  }
}
