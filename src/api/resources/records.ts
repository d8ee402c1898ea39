import { Injectable } from '@nestjs/common';
import sql, { type Sql, raw } from 'sql-template-tag';
import { inSubquery, lockClause } from '../../database/dialect.js';
import type { PendingResponse } from '../../database/read-deadline.js';
import { Reader } from '../../database/reader.js';
import type { Transaction } from '../../database/transaction.js';
import { and, conditionOf, matchAll, where } from '../filters/filter.js';
import { NotFoundError, throwIfInvalid } from '../../errors/errors.js';
import type { ListRequest } from '../list-request.js';
import { KeysetPage, NumberedPage, type Page } from '../pagination.js';
import type { Resource, Row } from './resource.js';

/**
 * Reads the records of any resource: one by its id, or a page of those that match a condition and the client's filters.
 */
@Injectable()
export class Records {
  constructor(private readonly reader: Reader) {}

  /**
   * @param transaction reads within its transaction, if given
   * @returns one record as it is shown
   * @throws NotFoundError
   */
  async find({ name, columns, present }: Resource, id: number, transaction?: Transaction): Promise<Row> {
    const query = sql`SELECT ${columns} FROM ${raw(name)} WHERE ${raw(name)}.id = ${id}`;
    const row = transaction ? (await transaction.query(query, { prepared: true }))[0] : await this.reader.row(query);
    if (!row) throw new NotFoundError();
    return present(row);
  }

  /**
   * @returns one record as it is shown, locked until the transaction ends
   * @throws NotFoundError
   */
  findForUpdate(resource: Resource, id: number, transaction: Transaction): Promise<Row> {
    return this.findLocked(resource, id, transaction, lockClause(`FOR UPDATE OF ${resource.name}`));
  }

  /**
   * Like {@link findForUpdate}, but others may still insert rows that refer to the record.
   * @returns one record as it is shown, locked until the transaction ends
   * @throws NotFoundError
   */
  findForChange(resource: Resource, id: number, transaction: Transaction): Promise<Row> {
    return this.findLocked(resource, id, transaction, lockClause(`FOR NO KEY UPDATE OF ${resource.name}`));
  }

  /** @throws NotFoundError when there is no such record */
  async assertExists({ name }: Pick<Resource, 'name'>, id: number): Promise<void> {
    const row = await this.reader.row(sql`SELECT 1 FROM ${raw(name)} WHERE id = ${id}`);
    if (!row) throw new NotFoundError();
  }

  /**
   * Reads rows and total in one statement, so that they are consistent.
   * @param scope the condition for the rows of the list
   * @returns a page of the rows, in the order of their ids
   * @throws ValidationError when the query has a parameter that lists do not have
   * @throws FilterError
   */
  async list(
    resource: Resource,
    { page, perPage, afterId, filters: given, errors, answer }: ListRequest,
    scope: Sql = matchAll,
  ): Promise<Page> {
    const { name, columns, filters, present } = resource;
    const condition = and([scope, conditionOf(filters, given)]);
    throwIfInvalid(errors);
    if (afterId !== undefined) return this.listAfter(resource, condition, { afterId, perPage, answer });
    const [table, id] = [raw(name), raw(`${name}.id`)];
    // Only the ids of skipped rows are read.
    const ids = sql`SELECT ${id} FROM ${table} ${where(condition)} ORDER BY ${id}
      LIMIT ${perPage} OFFSET ${(page - 1) * perPage}`;
    const statement = sql`SELECT counted.listed, shown.*
      FROM (SELECT count(*) AS listed FROM ${table} ${where(condition)}) AS counted
      LEFT JOIN (SELECT ${columns} FROM ${table} WHERE ${inSubquery(id, ids)}) AS shown ON TRUE ORDER BY shown.id`;
    const [first, ...others] = await this.readMatching<Row & { listed: number }>(condition, statement, answer);
    const rows = first!.id === null ? [] : [first!, ...others];
    return new NumberedPage(rows.map(present), first!.listed, page, perPage);
  }

  /** @returns the page of rows after an id. The time for it does not depend on the id. */
  private async listAfter(
    resource: Resource,
    condition: Sql,
    { afterId, perPage, answer }: Required<Pick<ListRequest, 'afterId' | 'perPage' | 'answer'>>,
  ): Promise<Page> {
    const { name, columns, present } = resource;
    const later = sql`${raw(name)}.id > ${afterId}`;
    const statement = sql`SELECT ${columns} FROM ${raw(name)} WHERE ${and([later, condition])}
      ORDER BY ${raw(name)}.id LIMIT ${perPage + 1}`;
    const rows = await (condition === matchAll
      ? this.reader.rows(statement, answer)
      : this.reader.firstRows(statement, answer));
    return new KeysetPage(rows.map(present), perPage);
  }

  /**
   * @returns the number of rows on all pages of a list with this scope
   * @throws FilterError
   */
  async countListed({ name, filters }: Resource, list: ListRequest, scope: Sql): Promise<number> {
    const condition = and([scope, conditionOf(filters, list.filters)]);
    const statement = sql`SELECT count(*) AS total FROM ${raw(name)} ${where(condition)}`;
    const [counted] = await this.readMatching<{ total: number }>(condition, statement, list.answer);
    return counted?.total ?? 0;
  }

  /**
   * Checks the filters of a list before any record is read.
   * @throws FilterError
   */
  assertValidFilters({ filters }: Resource, list: ListRequest): void {
    conditionOf(filters, list.filters);
  }

  /** @returns the rows of a statement that reads all records that match `condition` */
  private readMatching<T>(condition: Sql, statement: Sql, answer: PendingResponse): Promise<T[]> {
    return condition === matchAll ? this.reader.rows<T>(statement, answer) : this.reader.scan<T>(statement, answer);
  }

  /** @returns whether a record matches `condition` */
  async exists({ name }: Pick<Resource, 'name'>, condition: Sql): Promise<boolean> {
    const found = await this.reader.firstRows(sql`SELECT 1 FROM ${raw(name)} WHERE ${condition} LIMIT 1`);
    return found.length > 0;
  }

  /**
   * @returns a page of the rows that belong to another record
   * @throws FilterError
   * @throws NotFoundError when there is no such record
   */
  async listUnder(parent: Resource, id: number, resource: Resource, list: ListRequest, scope: Sql): Promise<Page> {
    this.assertValidFilters(resource, list);
    await this.assertExists(parent, id);
    return this.list(resource, list, scope);
  }

  private async findLocked(
    { name, columns, present }: Resource,
    id: number,
    transaction: Transaction,
    lock: Sql,
  ): Promise<Row> {
    const [row] = await transaction.query(
      sql`SELECT ${columns} FROM ${raw(name)} WHERE ${raw(name)}.id = ${id} ${lock}`,
    );
    if (!row) throw new NotFoundError();
    return present(row);
  }
}
