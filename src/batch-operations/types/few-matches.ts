import sql, { type Sql } from 'sql-template-tag';
import { isPostgres } from '../../database/dialect.js';
import { isCanceled } from '../../database/database-errors.js';
import type { Transaction } from '../../database/transaction.js';
import { isJsonObject } from '../../metadata/metadata.js';

/** The most contacts that one chunk adds. */
const MAX_MATCHES = 5_000;

/** How long the query may take on PostgreSQL (ms). A slower filter is not selective, or has no index. */
const TIME_LIMIT = 250;

/**
 * Selects the contacts that match a selective filter by an index. Without it, a population of ten people would scan a
 * million contacts.
 * @param condition of the contacts, filters included
 * @param filters the client's, which decide whether an index can be used
 * @returns the ids of the contacts; undefined if more than {@link MAX_MATCHES} match, or no index can be used
 */
export async function selectFewMatches(
  transaction: Transaction,
  condition: Sql,
  filters: unknown,
): Promise<number[] | undefined> {
  if (!isIndexed(filters)) return undefined;
  const query = sql`SELECT contacts.id FROM contacts WHERE ${condition} LIMIT ${MAX_MATCHES + 1}`;
  const rows = isPostgres ? await withinTimeLimit(transaction, query) : await transaction.query<{ id: number }>(query);
  return rows && rows.length <= MAX_MATCHES ? rows.map(({ id }) => id) : undefined;
}

/** `msisdn` has a unique index on both databases; `metadata` has an index on PostgreSQL. */
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
    // This also resets the time limit.
    await transaction.query(sql`ROLLBACK TO SAVEPOINT few_matches`);
  }
}
