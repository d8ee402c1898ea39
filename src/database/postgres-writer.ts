import { Logger } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { ManagerWork } from './open-transaction.js';
import { isConflict } from './database-errors.js';
import type { PostgresConnections } from './postgres-connections.js';
import { query } from './statements.js';
import { type Origin, Writer } from './writer.js';

/** How many times a transaction is tried when it conflicts with others. */
const MAX_ATTEMPTS = 5;

/** Writes to PostgreSQL. */
export class PostgresWriter extends Writer {
  private readonly logger = new Logger('Database');

  constructor(private readonly connections: PostgresConnections) {
    super();
  }

  protected begin<T>(work: ManagerWork<T>, origin: Origin): Promise<T> {
    return this.connections.run(origin, () => this.transact(work));
  }

  protected runAlone<T>(statement: Sql, origin: Origin): Promise<T[]> {
    return this.connections.run(origin, () => query<T>(this.connections.main, statement, { prepared: true }));
  }

  /** Runs a transaction, and runs it again when PostgreSQL ends it because of a conflict with another one. */
  private async transact<T>(work: ManagerWork<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.connections.main.transaction(work);
      } catch (error) {
        if (!isConflict(error)) throw error;
        this.logger.warn(
          `A transaction conflicts with another one (${error.code}): attempt ${attempt} of ${MAX_ATTEMPTS}`,
        );
        if (attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }
}
