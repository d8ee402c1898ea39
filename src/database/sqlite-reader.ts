import type { Sql } from 'sql-template-tag';
import { type PendingAnswer, withinDeadline } from './read-deadline.js';
import { Reader } from './reader.js';
import type { SqliteReadConnections } from './sqlite-read-connections.js';
import { rowsOf } from './statements.js';
import type { Origin } from './writer.js';

/** Reads from the SQLite file, for one origin. */
export class SqliteReader extends Reader {
  /** @param timeout how long a client's list may take, in seconds */
  constructor(
    private readonly connections: SqliteReadConnections,
    private readonly origin: Origin,
    private readonly timeout: number,
  ) {
    super();
  }

  async row<T>(statement: Sql): Promise<T | undefined> {
    const [row] = await rowsOf<T>(this.connections.byKey, statement);
    return row;
  }

  rows<T>(statement: Sql, answer?: PendingAnswer): Promise<T[]> {
    const { lists, background } = this.connections;
    if (this.origin === 'background') return background.rows<T>(statement);
    return withinDeadline(this.timeout, answer, (signal) => lists.rows<T>(statement, signal));
  }

  rowsOfAll<T>(statement: Sql, answer?: PendingAnswer): Promise<T[]> {
    return this.rows<T>(statement, answer);
  }

  firstRows<T>(statement: Sql, answer?: PendingAnswer): Promise<T[]> {
    return this.rows<T>(statement, answer);
  }
}
