import pLimit, { type LimitFunction } from 'p-limit';
import type { Sql } from 'sql-template-tag';
import type { DataSource } from 'typeorm';
import { interruptSqlite } from './sqlite-statements.js';
import { rowsOf } from './statements.js';

/** An interruption that comes before a thread has begun with the statement does nothing (ms): it is repeated. */
const INTERRUPT_AGAIN_AFTER = 50;

/**
 * Some connections to a SQLite file. Each runs one statement at a time, so that an interruption meets only the
 * statement that it is for.
 */
export class SqliteConnections {
  private readonly idle: DataSource[];
  private readonly limit: LimitFunction;

  private constructor(private readonly all: readonly DataSource[]) {
    this.idle = [...all];
    this.limit = pLimit(all.length);
  }

  static async open(count: number, connect: () => Promise<DataSource>): Promise<SqliteConnections> {
    return new SqliteConnections(await Promise.all(Array.from({ length: count }, connect)));
  }

  async close(): Promise<void> {
    for (const connection of this.all) await connection.destroy();
  }

  /**
   * The rows of a statement, once a connection is free.
   * @param signal ends the statement, or its wait for a connection
   */
  rows<T>(statement: Sql, signal?: AbortSignal): Promise<T[]> {
    return this.limit(async () => {
      signal?.throwIfAborted();
      const connection = this.idle.pop()!;
      let interrupting: NodeJS.Timeout | undefined;
      const interrupt = () => {
        interruptSqlite(connection);
        interrupting = setInterval(interruptSqlite, INTERRUPT_AGAIN_AFTER, connection);
      };
      signal?.addEventListener('abort', interrupt, { once: true });
      try {
        return await rowsOf<T>(connection, statement);
      } finally {
        clearInterval(interrupting);
        signal?.removeEventListener('abort', interrupt);
        this.idle.push(connection);
      }
    });
  }
}
