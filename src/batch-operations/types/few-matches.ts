import sql, { type Sql } from 'sql-template-tag';
import { isPostgres } from '../../database/dialect.js';
import { isCanceled } from '../../database/database-errors.js';
import type { Transaction } from '../../database/transaction.js';
import { isJsonObject } from '../../metadata/metadata.js';

/** As many contacts as one chunk adds. */
const FEW = 5_000;

/** How long PostgreSQL may look for them (ms). A filter that takes longer is not selective, or no index serves it. */
const TIME_LIMIT = 250;

/**
 * The ids of the contacts that a selective filter leaves, found by an index, so that a population of ten people need not look at a million
 * contacts; undefined when the filter leaves many, or no index serves it.
 *
 * @param condition of the contacts, filters included
 * @param filters the client's own, which decide whether an index may serve
 */
export async function fewMatches(
  transaction: Transaction,
  condition: Sql,
  filters: unknown,
): Promise<number[] | undefined> {
  if (!isIndexed(filters)) return undefined;
  const query = sql`SELECT contacts.id FROM contacts WHERE ${condition} LIMIT ${FEW + 1}`;
  const rows = isPostgres ? await withinTimeLimit(transaction, query) : await transaction.query<{ id: number }>(query);
  return rows && rows.length <= FEW ? rows.map(({ id }) => id) : undefined;
}

/** Numbers have a unique index on both databases; metadata have one on PostgreSQL. */
function isIndexed(filters: unknown): boolean {
  return isJsonObject(filters) && ('msisdn' in filters || (isPostgres && 'metadata' in filters));
}

async function withinTimeLimit(transaction: Transaction, query: Sql): Promise<{ id: number }[] | undefined> {
  await transaction.query(sql`SAVEPOINT few_matches`);
  try {
    await transaction.query(sql`SELECT set_config('statement_timeout', ${String(TIME_LIMIT)}, TRUE)`);
    return await transaction.query<{ id: number }>(query);
  } catch (error) {
    if (isCanceled(error)) return undefined;
    throw error;
  } finally {
    // Takes the time limit back, too.
    await transaction.query(sql`ROLLBACK TO SAVEPOINT few_matches`);
  }
}
