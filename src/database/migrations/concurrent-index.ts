import type { QueryRunner } from 'typeorm';

/**
 * Builds an index while others read and write the table. The migration must not run in a transaction: it sets
 * `transaction = false`. An interrupted build can be repeated. A complete index of that name is kept. Source:
 * https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 *
 * @param definition what follows `ON` in `CREATE INDEX`
 */
export async function createIndex(
  queryRunner: QueryRunner,
  name: string,
  definition: string,
  { unique = false } = {},
): Promise<void> {
  if (await isComplete(queryRunner, name)) return;
  // PostgreSQL leaves an incomplete index behind when a build is interrupted. It serves no query, but each write
  // updates it.
  await dropIndex(queryRunner, name);
  const kind = unique ? 'UNIQUE INDEX' : 'INDEX';
  await queryRunner.query(`CREATE ${kind} ${concurrentlyOn(queryRunner)} "${name}" ON ${definition}`);
}

/**
 * Replaces an index by another one of the same name. On PostgreSQL, the old index is used until the new one is
 * complete. SQLite cannot rename an index. The conditions of `createIndex` apply.
 */
export async function replaceIndex(queryRunner: QueryRunner, name: string, definition: string): Promise<void> {
  if (!isPostgres(queryRunner)) {
    await dropIndex(queryRunner, name);
    return createIndex(queryRunner, name, definition);
  }
  await createIndex(queryRunner, `${name}_new`, definition);
  await dropIndex(queryRunner, name);
  await queryRunner.query(`ALTER INDEX "${name}_new" RENAME TO "${name}"`);
}

/** Drops an index without blocking the users of its table. The conditions of `createIndex` apply. */
export async function dropIndex(queryRunner: QueryRunner, name: string): Promise<void> {
  await queryRunner.query(`DROP INDEX ${concurrentlyOn(queryRunner)} IF EXISTS "${name}"`);
}

function isPostgres({ connection }: QueryRunner): boolean {
  return connection.options.type === 'postgres';
}

/** The option that lets others write meanwhile. SQLite has only one writer at a time, and no such option. */
function concurrentlyOn(queryRunner: QueryRunner): string {
  return isPostgres(queryRunner) ? 'CONCURRENTLY' : '';
}

async function isComplete(queryRunner: QueryRunner, name: string): Promise<boolean> {
  const rows = isPostgres(queryRunner)
    ? await queryRunner.query('SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid', [`"${name}"`])
    : await queryRunner.query(`SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?`, [name]);
  return (rows as unknown[]).length > 0;
}
