import type { QueryRunner } from 'typeorm';

/**
 * Builds an index while others read and write the table. The migration must not run in a transaction: it sets `transaction = false`.
 * It may be run again after it was broken off. An index of that name that is complete stays.
 * Source: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 *
 * @param definition what follows `ON` in `CREATE INDEX`
 */
export async function createIndex(queryRunner: QueryRunner, name: string, definition: string): Promise<void> {
  if (await isComplete(queryRunner, name)) return;
  const concurrently = concurrentlyOn(queryRunner);
  // PostgreSQL leaves an index behind whose build was broken off. It is kept up to date, and serves no query.
  await queryRunner.query(`DROP INDEX ${concurrently} IF EXISTS "${name}"`);
  await queryRunner.query(`CREATE INDEX ${concurrently} "${name}" ON ${definition}`);
}

/** Builds an index in the place of another one of the same name, which serves until then. Conditions as for `createIndex`. */
export async function replaceIndex(queryRunner: QueryRunner, name: string, definition: string): Promise<void> {
  const concurrently = concurrentlyOn(queryRunner);
  if (concurrently === '') {
    await queryRunner.query(`DROP INDEX IF EXISTS "${name}"`);
    await queryRunner.query(`CREATE INDEX "${name}" ON ${definition}`);
    return;
  }
  await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS "${name}_new"`);
  await queryRunner.query(`CREATE INDEX CONCURRENTLY "${name}_new" ON ${definition}`);
  await dropIndex(queryRunner, name);
  await queryRunner.query(`ALTER INDEX "${name}_new" RENAME TO "${name}"`);
}

/** Drops an index without waiting for those who use the table. Conditions as for `createIndex`. */
export async function dropIndex(queryRunner: QueryRunner, name: string): Promise<void> {
  await queryRunner.query(`DROP INDEX ${concurrentlyOn(queryRunner)} IF EXISTS "${name}"`);
}

/** SQLite has one writer at a time, and nothing like it. */
function concurrentlyOn(queryRunner: QueryRunner): string {
  return queryRunner.connection.options.type === 'postgres' ? 'CONCURRENTLY' : '';
}

async function isComplete(queryRunner: QueryRunner, name: string): Promise<boolean> {
  const rows =
    queryRunner.connection.options.type === 'postgres'
      ? await queryRunner.query('SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid', [
          `"${name}"`,
        ])
      : await queryRunner.query(`SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?`, [name]);
  return (rows as unknown[]).length > 0;
}
