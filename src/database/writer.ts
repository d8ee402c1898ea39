import type { Sql } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';

/**
 * For whom a write is made: a client of the API, or what must go on whatever clients do (webhooks, background work).
 */
export type Origin = 'api' | 'background';

/** Runs the writes of one kind of database. */
export abstract class Writer {
  /** Runs `work` in a transaction of its own: all of it is kept, or none. */
  abstract transaction<T>(work: (manager: EntityManager) => Promise<T>, origin: Origin): Promise<T>;

  /** Runs one statement in a transaction and returns its rows, once they are committed. */
  abstract statement<T>(statement: Sql, origin: Origin): Promise<T[]>;
}
