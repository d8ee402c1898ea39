/** What a statement came to: the rows that it returns, and how many it returned or touched. */
export interface Outcome<T> {
  rows: T[];
  affected: number;
}

/**
 * Whether PostgreSQL plans a statement `anew` each time, for its values and for the size that its tables have by then, or plans it once and
 * keeps that: for a row by its key, or the insert of given values, of which there is but one good plan, and making it is most of the work.
 * SQLite's plans do not depend on either, and are always kept.
 */
export type Plan = 'anew' | 'kept';
