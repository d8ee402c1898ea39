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
  /** The filters that clients have on it. */
  readonly filters: Filters;
  /** Whether a client may change it. A read-only attribute may be sent back as it is shown. */
  readonly writable: boolean;
  /** @returns its value in the API */
  present(row: Row): unknown;
}

/** A kind of record in the API. `defineResource` makes one from a list of attributes. */
export interface Resource<Update extends object = object> {
  /** The name of its table and of its routes. */
  readonly name: string;
  /** The record as OpenAPI describes it. */
  readonly model: Type;
  /** The body that changes a record. */
  readonly update: Type<Update>;
  /** In the order in which the API shows them. */
  readonly attributes: readonly Attribute[];
  /** The columns of all attributes. */
  readonly columns: Sql;
  /** The filters of all attributes, and those on values that are not shown. */
  readonly filters: Filters;
  /** @returns the record of a row of `columns`, as the API shows it */
  present(row: Row): Row;
}
