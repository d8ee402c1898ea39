import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** A callout whose audience keeps adding people remembers the population after which it may be completed. */
export class RememberLastPopulations1764920000000 implements MigrationInterface {
  readonly name = 'RememberLastPopulations1764920000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { whole } = columnTypes(queryRunner);
    await queryRunner.query(`ALTER TABLE "callouts" ADD COLUMN "last_population_id" ${whole}`);
    // Earlier versions left people waiting who were added to a completed callout.
    await queryRunner.query(`UPDATE "callouts" SET "outcomes_cursor" = 0 WHERE "status" = 'completed'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "callouts" DROP COLUMN "last_population_id"');
  }
}
