import pLimit, { type LimitFunction } from 'p-limit';
import type { Sql } from 'sql-template-tag';
import type { DataSource } from 'typeorm';
import { interruptSqlite } from './sqlite-statements.js';
import { query } from './statements.js';

/** How often an interruption is repeated (ms). It has no effect as long as no thread has started with the statement. */
const INTERRUPT_INTERVAL = 50;

/**
 * A pool of connections to a SQLite file. A connection runs one statement at a time, so that an interruption ends only
 * the statement that it is meant for.
 */
export class SqlitePool {
  private readonly idle: DataSource[];
  private readonly limit: LimitFunction;

  private constructor(private readonly all: readonly DataSource[]) {
    this.idle = [...all];
    this.limit = pLimit(all.length);
  }

  /** @param connect opens one connection */
  static async open(count: number, connect: () => Promise<DataSource>): Promise<SqlitePool> {
    return new SqlitePool(await Promise.all(Array.from({ length: count }, connect)));
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    for (const connection of this.all) await connection.destroy();
  }

  /**
   * Runs a statement as soon as a connection is free.
   *
   * @param signal ends the statement, or its wait for a connection
   * @returns the rows of the statement
   * @throws the reason of the signal, or the error of the driver
   */
  rows<T>(statement: Sql, signal?: AbortSignal): Promise<T[]> {
    return this.limit(async () => {
      signal?.throwIfAborted();
      const connection = this.idle.pop()!;
      let interrupting: NodeJS.Timeout | undefined;
      const interrupt = () => {
        interruptSqlite(connection);
        interrupting = setInterval(interruptSqlite, INTERRUPT_INTERVAL, connection);
      };
      signal?.addEventListener('abort', interrupt, { once: true });
      try {
        return await query<T>(connection, statement);
      } finally {
        clearInterval(interrupting);
        signal?.removeEventListener('abort', interrupt);
        this.idle.push(connection);
      }
    });
  }
}
