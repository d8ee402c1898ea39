import type { Sql } from 'sql-template-tag';
import { type PendingResponse, withinDeadline } from './read-deadline.js';
import { Reader } from './reader.js';
import type { SqliteReadConnections } from './sqlite-read-connections.js';
import { query } from './statements.js';
import type { Origin } from './writer.js';

/** Reads from a SQLite file. */
export class SqliteReader extends Reader {
  /**
   * @param origin whose reads these are
   * @param timeout how long the list of an API client may take (s)
   */
  constructor(
    private readonly connections: SqliteReadConnections,
    private readonly origin: Origin,
    private readonly timeout: number,
  ) {
    super();
  }

  async row<T>(statement: Sql): Promise<T | undefined> {
    const [row] = await query<T>(this.connections.byKey, statement);
    return row;
  }

  rows<T>(statement: Sql, response?: PendingResponse): Promise<T[]> {
    const { lists, background } = this.connections;
    if (this.origin === 'background') return background.rows<T>(statement);
    return withinDeadline(this.timeout, response, (signal) => lists.rows<T>(statement, signal));
  }

  scan<T>(statement: Sql, response?: PendingResponse): Promise<T[]> {
    return this.rows<T>(statement, response);
  }

  firstRows<T>(statement: Sql, response?: PendingResponse): Promise<T[]> {
    return this.rows<T>(statement, response);
  }
}
