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
 * Selects the greatest id up to which all events are settled: each is visible to every later statement, or was rolled
 * back. It is the last id of the sequence, or the smallest id that an open transaction has locked (docs/adr/0004).
 *
 * The sequence must be read before the locks. PostgreSQL does so, because the subquery on `pg_locks` depends on its
 * row.
 */
const lastSettledId: Sql = sql`
  SELECT least(events_id_seq.last_value, (
    SELECT min(locks.id) FROM (
      SELECT ((classid::bigint << 32) | objid::bigint) - (7201::bigint << 48) AS id FROM pg_locks
      WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 7201
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS locks WHERE locks.id < events_id_seq.last_value
  )) AS id FROM events_id_seq`;

/** Lists events so that a client that continues after the last id misses none. */
@Injectable()
export class EventsService {
  constructor(
    private readonly records: Records,
    private readonly reader: Reader,
  ) {}

  /** @throws FilterError when a filter is invalid */
  async list(list: ListRequest): Promise<Page> {
    this.records.assertValidFilters(eventResource, list);
    return this.records.list(eventResource, list, await this.isSettled());
  }

  /** Builds the condition that an event is settled. SQLite has one writer at a time, so ids become visible in order. */
  private async isSettled(): Promise<Sql> {
    if (!isPostgres) return matchAll;
    const last = await this.reader.row<{ id: number }>(lastSettledId);
    return sql`events.id <= ${last!.id}`;
  }
}
