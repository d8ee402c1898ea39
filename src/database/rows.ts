import sql, { type Sql } from 'sql-template-tag';
import type { EntityTarget, FindOptionsWhere } from 'typeorm';
import { NotFoundError, ValidationError } from '../errors/errors.js';
import { textOf } from '../metadata/client-values.js';
import { now } from './dialect.js';
import type { Identified, Transaction } from './transaction.js';

/**
 * Finds a row and locks it until the transaction ends: no other transaction can change it, delete it, or insert a row
 * that refers to it. On SQLite, the transaction is the only writer anyway.
 *
 * @throws NotFoundError when there is no such row
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

/**
 * Finds a row and locks it as an UPDATE does that changes no unique column. Unlike with {@link findForUpdate}, others
 * may still insert rows that refer to it, so that their transactions never wait for this one.
 *
 * @throws NotFoundError when there is no such row
 */
export async function findForChange<T extends Identified>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
): Promise<T> {
  const row = await transaction.find(entity, { id } as FindOptionsWhere<T>, 'for_no_key_update');
  if (!row) throw new NotFoundError();
  return row;
}

/** Writes changes to a row, and sets `updated_at`. Does nothing if there are no changes. */
export async function updateRow<T extends Identified>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
  changes: object,
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  await transaction.update(entity, { id } as FindOptionsWhere<T>, { ...changes, updated_at: () => now.text });
}

/**
 * Finds a row that a new row will refer to, and locks it until the transaction ends, so that it cannot be deleted.
 *
 * @param id a value of a client
 * @returns undefined if there is no such row, or the value is not an id
 */
export async function findForKeyShare<T extends Identified>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: unknown,
): Promise<T | undefined> {
  const number = parseId(id);
  if (number === undefined) return undefined;
  return transaction.find(entity, { id: number } as FindOptionsWhere<T>, 'for_key_share');
}

/** @returns the id that a value of a client denotes; undefined if it is not an id */
export function parseId(value: unknown): number | undefined {
  const number = /^\d+$/.test(textOf(value) ?? '') ? Number(value) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * Makes sure that no record refers to a record that is about to be deleted.
 *
 * @param dependents a query for the records that refer to it, for each kind of record. The keys are the names of the
 *   kinds in the error
 * @throws ValidationError that names each kind with such records
 */
export async function assertNoDependents(transaction: Transaction, dependents: Record<string, Sql>): Promise<void> {
  const base: string[] = [];
  for (const [kind, query] of Object.entries(dependents)) {
    const found = await transaction.query(sql`${query} LIMIT 1`);
    if (found.length > 0) base.push(`Cannot delete record because dependent ${kind} exist`);
  }
  if (base.length > 0) throw new ValidationError({ base });
}
