/** The result of a statement. */
export interface StatementResult<T> {
  /** The rows that the statement returns. */
  rows: T[];
  /** How many rows it returned, inserted, updated or deleted. */
  affected: number;
}

/** How PostgreSQL plans a statement. SQLite always keeps its plans, because they do not depend on values or sizes. */
export interface StatementOptions {
  /**
   * Whether the plan is made once and kept. This is for a row by its key, or an insert of given values: such a
   * statement has one good plan, and most of its cost is planning. Without it, each execution is planned for its values
   * and for the current size of the tables.
   */
  prepared?: boolean;
}
