import type { QueryRunner } from 'typeorm';

/**
 * Lets a column be null, or forbids it; no row may hold a null when that is forbidden. SQLite has no statement for this, but documents how to
 * edit the table's definition, which leaves the rows as they are.
 * Source: https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes
 *
 * @param type the column's type, as the migration that made it wrote it
 */
export async function setNullable(
  queryRunner: QueryRunner,
  table: string,
  column: string,
  type: string,
  nullable: boolean,
): Promise<void> {
  if (queryRunner.connection.options.type === 'postgres') {
    await queryRunner.query(`ALTER TABLE "${table}" ALTER COLUMN "${column}" ${nullable ? 'DROP' : 'SET'} NOT NULL`);
    return;
  }
  const [without, required] = [`"${column}" ${type}`, `"${column}" ${type} NOT NULL`];
  const [from, to] = nullable ? [`${required},`, `${without},`] : [`${without},`, `${required},`];
  const [row] = (await queryRunner.query('PRAGMA schema_version')) as [{ schema_version: number }];
  await queryRunner.query('PRAGMA writable_schema = ON');
  await queryRunner.query(`UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?`, [
    from,
    to,
    table,
  ]);
  await queryRunner.query(`PRAGMA schema_version = ${row.schema_version + 1}`);
  await queryRunner.query('PRAGMA writable_schema = OFF');
}
