import { Injectable } from '@nestjs/common';
import sql, { type Sql, raw } from 'sql-template-tag';
import { isAmong, locking } from '../database/dialect.js';
import type { PendingAnswer } from '../database/read-deadline.js';
import { Reader } from '../database/reader.js';
import type { Transaction } from '../database/transaction.js';
import { allOf, conditionOf, everything, where } from '../filters/filter.js';
import { NotFound, refuseIfAny } from '../http/errors.js';
import type { ListRequest } from '../http/list-request.js';
import { KeysetPage, NumberedPage, type Page } from '../http/pagination.js';
import type { Resource, Row } from './resource.js';

/** Reads the records of any resource: one by its id, or a page of those that a condition and the client's filters leave. */
@Injectable()
export class Records {
  constructor(private readonly reader: Reader) {}

  /**
   * One record; as `transaction` sees it, if given.
   * @throws NotFound
   */
  async find({ name, columns, present }: Resource, id: number, transaction?: Transaction): Promise<Row> {
    const query = sql`SELECT ${columns} FROM ${raw(name)} WHERE ${raw(name)}.id = ${id}`;
    const row = transaction ? (await transaction.query(query, { prepared: true }))[0] : await this.reader.row(query);
    if (!row) throw new NotFound();
    return present(row);
  }

  /**
   * One record as it is shown, locked until the transaction ends.
   * @throws NotFound
   */
  async findForUpdate({ name, columns, present }: Resource, id: number, transaction: Transaction): Promise<Row> {
    const [row] = await transaction.query(
      sql`SELECT ${columns} FROM ${raw(name)} WHERE ${raw(name)}.id = ${id} ${locking(`FOR UPDATE OF ${name}`)}`,
    );
    if (!row) throw new NotFound();
    return present(row);
  }

  /** @throws NotFound when there is no such record */
  async mustExist({ name }: Pick<Resource, 'name'>, id: number): Promise<void> {
    const row = await this.reader.row(sql`SELECT 1 FROM ${raw(name)} WHERE id = ${id}`);
    if (!row) throw new NotFound();
  }

  /**
   * A page of the rows for which `scope` holds, in the order of their ids. Rows and total, if it is counted, speak of the same rows.
   * @throws Invalid when the list is asked for with parameters that it does not have
   * @throws FilterError
   */
  async list(
    resource: Resource,
    { page, perPage, afterId, filters: given, errors, answer }: ListRequest,
    scope: Sql = everything,
  ): Promise<Page> {
    const { name, columns, filters, present } = resource;
    const condition = allOf([scope, conditionOf(filters, given)]);
    refuseIfAny(errors);
    if (afterId !== undefined) return this.following(resource, condition, { afterId, perPage, answer });
    const [table, id] = [raw(name), raw(`${name}.id`)];
    // Of the rows that are skipped only the ids are read.
    const ids = sql`SELECT ${id} FROM ${table} ${where(condition)} ORDER BY ${id}
      LIMIT ${perPage} OFFSET ${(page - 1) * perPage}`;
    const statement = sql`SELECT counted.listed, shown.*
      FROM (SELECT count(*) AS listed FROM ${table} ${where(condition)}) AS counted
      LEFT JOIN (SELECT ${columns} FROM ${table} WHERE ${isAmong(id, ids)}) AS shown ON TRUE ORDER BY shown.id`;
    const [first, ...others] = await this.all<Row & { listed: number }>(condition, statement, answer);
    const rows = first!.id === null ? [] : [first!, ...others];
    return new NumberedPage(rows.map(present), first!.listed, page, perPage);
  }

  /** The page of the rows that follow an id: in constant time wherever that is, for one that walks all rows. */
  private async following(
    resource: Resource,
    condition: Sql,
    { afterId, perPage, answer }: Required<Pick<ListRequest, 'afterId' | 'perPage' | 'answer'>>,
  ): Promise<Page> {
    const { name, columns, present } = resource;
    const later = sql`${raw(name)}.id > ${afterId}`;
    const statement = sql`SELECT ${columns} FROM ${raw(name)} WHERE ${allOf([later, condition])}
      ORDER BY ${raw(name)}.id LIMIT ${perPage + 1}`;
    const rows = await (condition === everything
      ? this.reader.rows(statement, answer)
      : this.reader.firstRows(statement, answer));
    return new KeysetPage(rows.map(present), perPage);
  }

  /**
   * How many rows a list with this scope would have on all its pages.
   * @throws FilterError
   */
  async countListed({ name, filters }: Resource, list: ListRequest, scope: Sql): Promise<number> {
    const condition = allOf([scope, conditionOf(filters, list.filters)]);
    const statement = sql`SELECT count(*) AS total FROM ${raw(name)} ${where(condition)}`;
    const [counted] = await this.all<{ total: number }>(condition, statement, list.answer);
    return counted?.total ?? 0;
  }

  /**
   * Refuses filters that cannot be read, before any record is looked for.
   * @throws FilterError
   */
  refuseUnreadable({ filters }: Resource, list: ListRequest): void {
    conditionOf(filters, list.filters);
  }

  /** The rows of a statement that looks at all records for which `condition` holds. */
  private all<T>(condition: Sql, statement: Sql, answer: PendingAnswer): Promise<T[]> {
    return condition === everything
      ? this.reader.rows<T>(statement, answer)
      : this.reader.rowsOfAll<T>(statement, answer);
  }

  /** Whether there is any record for which `condition` holds. */
  async any({ name }: Pick<Resource, 'name'>, condition: Sql): Promise<boolean> {
    const found = await this.reader.firstRows(sql`SELECT 1 FROM ${raw(name)} WHERE ${condition} LIMIT 1`);
    return found.length > 0;
  }

  /**
   * A page of the rows that belong to another record.
   * @throws FilterError
   * @throws NotFound when there is no such record
   */
  async listUnder(parent: Resource, id: number, resource: Resource, list: ListRequest, scope: Sql): Promise<Page> {
    this.refuseUnreadable(resource, list);
    await this.mustExist(parent, id);
    return this.list(resource, list, scope);
  }
}
