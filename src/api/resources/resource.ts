import type { Type } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { Filters } from '../filters/filter.js';

/** A row as the driver returns it, or a record as the API shows it. */
export type Row = Record<string, unknown>;

/** One attribute of a record. */
export interface Attribute {
  /** Its key in the API. */
  readonly name: string;
  /** The columns that `present` reads, for a SELECT from the resource's table. */
  readonly columns: Sql;
  /** Its filters, by name. */
  readonly filters: Filters;
  /** Whether a client may change it. A body may contain a read-only attribute with the value that is shown. */
  readonly writable: boolean;
  /** @returns its value in the API */
  present(row: Row): unknown;
}

/** A type of record in the API. `defineResource` creates it from a list of attributes. */
export interface Resource<Update extends object = object> {
  /** The name of its table and of its routes. */
  readonly name: string;
  /** The OpenAPI model of the record. */
  readonly model: Type;
  /** The DTO of the body that changes a record. */
  readonly update: Type<Update>;
  /** In the order in which the API shows them. */
  readonly attributes: readonly Attribute[];
  /** The columns of all attributes, for a SELECT. */
  readonly columns: Sql;
  /** The filters of all attributes, and those on values that are not shown. */
  readonly filters: Filters;
  /** @returns the record of a row of `columns`, as the API shows it */
  present(row: Row): Row;
}
