import type { QueryRunner } from 'typeorm';

/** How many rows one statement fills in. It locks only these. */
const CHUNK_SIZE = 20_000;

/**
 * Fills in a table in ranges of ids. Each statement is a transaction of its own, if the migration sets
 * `transaction = false`.
 *
 * @param statement the statement for the rows from one id to another
 */
export async function fillIn(
  queryRunner: QueryRunner,
  table: string,
  statement: (first: number, last: number) => string,
): Promise<void> {
  const [row] = (await queryRunner.query(`SELECT max("id") AS "last" FROM "${table}"`)) as [{ last: unknown }];
  const last = Number(row.last ?? 0);
  for (let first = 1; first <= last; first += CHUNK_SIZE) {
    await queryRunner.query(statement(first, first + CHUNK_SIZE - 1));
  }
}
