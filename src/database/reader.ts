import type { Sql } from 'sql-template-tag';
import type { PendingAnswer } from './read-deadline.js';

/**
 * The one door for reads that clients of the API ask for: it sees what has been committed, and waits for no writer.
 * Lists have connections of their own, so that a crowd of them holds up nothing else, and end after `READ_TIMEOUT` or
 * when their client leaves. Webhooks, health checks and background work use {@link BackgroundReader}.
 */
export abstract class Reader {
  /** The row that a key names, if there is one. */
  abstract row<T = Record<string, unknown>>(statement: Sql): Promise<T | undefined>;

  /**
   * The rows of a statement whose time may grow with the tables.
   * @param answer that they are for: when its client leaves, the statement ends
   * @throws ReadTimedOut
   * @throws ClientGone
   */
  abstract rows<T = Record<string, unknown>>(statement: Sql, answer?: PendingAnswer): Promise<T[]>;

  /**
   * The same for a statement that compares whole tables, perhaps while others fill them. PostgreSQL, which may believe
   * them to be empty still, is kept from looking in one of them for each row of another (nested loops): that would go
   * on for as long as they grow.
   * @throws ReadTimedOut
   * @throws ClientGone
   */
  abstract rowsOfAll<T = Record<string, unknown>>(statement: Sql, answer?: PendingAnswer): Promise<T[]>;

  /**
   * The same for a statement that compares whole tables, but wants only the first few rows. Nested loops find these in
   * a moment where PostgreSQL knows its tables; where it does not, the statement is run again without them.
   * @throws ReadTimedOut
   * @throws ClientGone
   */
  abstract firstRows<T = Record<string, unknown>>(statement: Sql, answer?: PendingAnswer): Promise<T[]>;
}

/**
 * The one door for the reads of webhooks, health checks and background work: they find a connection whatever clients of
 * the API do.
 */
export abstract class BackgroundReader extends Reader {}
