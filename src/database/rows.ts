import sql, { type Sql } from 'sql-template-tag';
import type { EntityTarget, FindOptionsWhere } from 'typeorm';
import { NotFoundError, ValidationError } from '../errors/errors.js';
import { textOf } from '../metadata/client-values.js';
import { now } from './dialect.js';
import type { Identified, Transaction } from './transaction.js';

/**
 * The row, held until the transaction ends: nobody else changes it, deletes it, or makes a row that refers to it meanwhile. On SQLite the
 * transaction is the only writer anyway.
 * @throws NotFoundError
 */
export async function findForUpdate<T extends Identified>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
): Promise<T> {
  const row = await transaction.find(entity, { id } as FindOptionsWhere<T>, 'pessimistic_write');
  if (!row) throw new NotFoundError();
  return row;
}

/** Writes changes to a row, if there are any, and that it has changed. */
export async function updateRow<T extends Identified>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
  changes: object,
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  await transaction.update(entity, { id } as FindOptionsWhere<T>, { ...changes, updated_at: () => now.text });
}

/** The row that another is about to refer to, held so that it cannot be deleted meanwhile; undefined when there is none. */
export async function findForKeyShare<T extends Identified>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: unknown,
): Promise<T | undefined> {
  const number = parseId(id);
  if (number === undefined) return undefined;
  return transaction.find(entity, { id: number } as FindOptionsWhere<T>, 'for_key_share');
}

/** The id that a client's value holds; undefined when it can be none. */
export function parseId(value: unknown): number | undefined {
  const number = /^\d+$/.test(textOf(value) ?? '') ? Number(value) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * @param dependents for each kind of record, in words, a query for those that refer to the record about to be deleted
 * @throws ValidationError naming each kind of which there are any
 */
export async function assertNoDependents(transaction: Transaction, dependents: Record<string, Sql>): Promise<void> {
  const base: string[] = [];
  for (const [kind, query] of Object.entries(dependents)) {
    const found = await transaction.query(sql`${query} LIMIT 1`);
    if (found.length > 0) base.push(`Cannot delete record because dependent ${kind} exist`);
  }
  if (base.length > 0) throw new ValidationError({ base });
}
