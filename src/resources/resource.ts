import type { Sql } from 'sql-template-tag';
import type { Filters } from '../filters/filter.js';

/** A row as the driver hands it over. */
export type Row = Record<string, unknown>;

/** How a kind of record is read: from where, by which filters, and in which shape it is shown. */
export interface Resource {
  /** The name of its table and of its routes. */
  name: string;
  /** The columns that `present` needs. */
  columns: Sql;
  /** The table, with what must be joined to it for a column or a filter; one row a record. */
  from: Sql;
  filters: Filters;
  /** The record as the API shows it, keys in the contract's order. */
  present(row: Row): Row;
}
