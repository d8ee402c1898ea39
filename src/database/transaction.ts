import type { Sql } from 'sql-template-tag';
import type { EntityManager, EntityTarget, FindOptionsWhere } from 'typeorm';
import { isPostgres } from './dialect.js';
import { runStatement } from './statements.js';

/** A record that has an id. */
export interface Identified {
  id: number;
}

/** The columns of a new record. An object is JSON; a function returns SQL, as `() => now.text` does. */
type NewRecord<T> = { [Column in keyof T]?: T[Column] | object };

/** How a row is locked until the transaction ends. SQLite has no row locks, because a transaction is the only writer. */
type RowLock = 'pessimistic_write' | 'for_key_share';

/** A transaction that is open: the one way to write, and to read what it has written. */
export class Transaction {
  constructor(private readonly manager: EntityManager) {}

  /**
   * Runs a statement and returns its rows.
   * @param prepared keeps the plan for the next time: for a row by its key, or an insert of given values
   */
  async query<T = Record<string, unknown>>(statement: Sql, { prepared = false } = {}): Promise<T[]> {
    return (await runStatement<T>(this.manager, statement, prepared ? 'kept' : 'anew')).rows;
  }

  /** Runs a statement that writes. @returns how many rows it touched */
  async execute(statement: Sql): Promise<number> {
    return (await runStatement(this.manager, statement, 'anew')).affected;
  }

  /** @returns the record for which `where` holds, if there is one */
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
   * Updates the records for which `where` holds.
   * @param values the columns that change; a function returns SQL
   * @returns how many records there were
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
