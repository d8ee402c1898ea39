import type { Sql } from 'sql-template-tag';
import type { PendingResponse } from './read-deadline.js';

/**
 * Runs the reads of API clients. A read sees committed rows only, and waits for no writer. Lists have connections of
 * their own, so that many of them do not delay anything else. A list ends after `READ_TIMEOUT`, or when its client
 * disconnects. Webhooks, health checks and background work use {@link BackgroundReader}.
 */
export abstract class Reader {
  /** Runs a prepared statement that finds one row by a key. @returns undefined if there is no such row */
  abstract row<T = Record<string, unknown>>(statement: Sql): Promise<T | undefined>;

  /**
   * Runs a statement whose duration may grow with the size of the tables.
   *
   * @param response the response that waits for the rows: if its client disconnects, the statement ends
   * @returns the rows
   * @throws ReadTimeoutError when it takes longer than `READ_TIMEOUT`
   * @throws ClientDisconnectedError when the client disconnects
   */
  abstract rows<T = Record<string, unknown>>(statement: Sql, response?: PendingResponse): Promise<T[]>;

  /**
   * Runs a statement that joins whole tables, perhaps while they fill. PostgreSQL uses no nested loops: with statistics
   * from when a table was empty, it would look up one row for each row of another table, for as long as they grow. The
   * parameters and errors are those of {@link rows}.
   *
   * @returns the rows
   */
  abstract scan<T = Record<string, unknown>>(statement: Sql, response?: PendingResponse): Promise<T[]>;

  /**
   * Runs a statement that joins whole tables, and returns only the first few rows. Nested loops are the fastest way if
   * the statistics of PostgreSQL are current. If they take too long, the statement runs again without them. The
   * parameters and errors are those of {@link rows}.
   *
   * @returns the rows
   */
  abstract firstRows<T = Record<string, unknown>>(statement: Sql, response?: PendingResponse): Promise<T[]>;
}

/**
 * Runs the reads of webhooks, health checks and background work. They find a connection even if API clients use all of
 * theirs, and have no time limit.
 */
export abstract class BackgroundReader extends Reader {}
