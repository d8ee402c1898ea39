import type { Sql } from 'sql-template-tag';
import type { Filters } from '../filters/filter.js';

/** A row as the driver hands it over. */
export type Row = Record<string, unknown>;

/**
 * How a kind of record is read: from which table, by which filters, and in which shape it is shown. What other tables
 * add to a column or a filter comes from subselects: a list that goes over whole tables joins none for the rows of one
 * page.
 */
export interface Resource {
  /** The name of its table and of its routes. */
  name: string;
  /** The columns that `present` needs. */
  columns: Sql;
  filters: Filters;
  /** The record as the API shows it, keys in the contract's order. */
  present(row: Row): Row;
}
