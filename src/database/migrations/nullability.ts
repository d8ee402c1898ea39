import type { QueryRunner } from 'typeorm';

/**
 * Makes a column nullable, or not. If not, no row may have a null in it. SQLite has no statement for this, but
 * documents how to edit the definition of the table, which does not change the rows. Source:
 * https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes
 *
 * @param type the type of the column, exactly as in the migration that created it
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
