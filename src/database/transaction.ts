import type { Sql } from 'sql-template-tag';
import type { EntityManager, EntityTarget, FindOptionsWhere } from 'typeorm';
import { isPostgres } from './dialect.js';
import type { StatementOptions } from './statement-result.js';
import { execute, query } from './statements.js';

/** A record with an id. */
export interface Identified {
  id: number;
}

/** The columns of a new record. An object is a JSON value; a function returns SQL, such as `() => now.text`. */
type NewRecord<T> = { [Column in keyof T]?: T[Column] | object };

/** How a row is locked until the transaction ends. SQLite has no row locks: a transaction is the only writer. */
type RowLock = 'pessimistic_write' | 'for_no_key_update' | 'for_key_share';

/** An open transaction. It runs the writes of a {@link UnitOfWork}, and the reads that depend on them. */
export class Transaction {
  constructor(private readonly manager: EntityManager) {}

  /**
   * Runs a statement that reads, or that returns what it wrote.
   *
   * @returns its rows
   */
  query<T = Record<string, unknown>>(statement: Sql, options?: StatementOptions): Promise<T[]> {
    return query<T>(this.manager, statement, options);
  }

  /** Runs a statement that writes. @returns how many rows it inserted, updated or deleted */
  execute(statement: Sql): Promise<number> {
    return execute(this.manager, statement);
  }

  /**
   * Finds a record by a condition.
   *
   * @param lock locks the row until the transaction ends
   * @returns undefined if there is none
   */
  async find<T extends Identified>(
    entity: EntityTarget<T>,
    where: FindOptionsWhere<T>,
    lock?: RowLock,
  ): Promise<T | undefined> {
    const options = { where, ...(isPostgres && lock && { lock: { mode: lock } }) };
    return (await this.manager.findOne(entity, options)) ?? undefined;
  }

  /** Inserts a record. @returns its id */
  async insert<T extends Identified>(entity: EntityTarget<T>, values: NewRecord<T>): Promise<number> {
    const { identifiers } = await this.manager.insert(entity, values as object);
    return identifiers[0]!.id as number;
  }

  /**
   * Updates the records that match a condition.
   *
   * @param values the columns that change; a function returns SQL
   * @returns how many records matched
   */
  async update<T extends Identified>(
    entity: EntityTarget<T>,
    where: FindOptionsWhere<T>,
    values: object,
  ): Promise<number> {
    const { affected } = await this.manager.update(entity, where, values);
    return affected ?? 0;
  }

  /** Deletes a record. */
  async delete<T extends Identified>(entity: EntityTarget<T>, id: number): Promise<void> {
    await this.manager.delete(entity, id);
  }
}
