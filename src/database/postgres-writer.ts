import type { Sql } from 'sql-template-tag';
import type { DatabaseWork } from './open-transaction.js';
import { isConflict } from './outage.js';
import type { PostgresConnections } from './postgres-connections.js';
import { rowsOf } from './statements.js';
import { type Origin, Writer } from './writer.js';

const TRIES = 5;

/** Writes to PostgreSQL. */
export class PostgresWriter extends Writer {
  constructor(private readonly connections: PostgresConnections) {
    super();
  }

  protected begin<T>(work: DatabaseWork<T>, origin: Origin): Promise<T> {
    return this.connections.within(origin, () => this.transact(work));
  }

  protected commit<T>(statement: Sql, origin: Origin): Promise<T[]> {
    return this.connections.within(origin, () => rowsOf<T>(this.connections.main, statement, 'kept'));
  }

  /** PostgreSQL breaks off one of two transactions that stand in each other's way: it is run again. */
  private async transact<T>(work: DatabaseWork<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.connections.main.transaction(work);
      } catch (error) {
        if (attempt === TRIES || !isConflict(error)) throw error;
      }
    }
  }
}
