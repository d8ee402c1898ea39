import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** A callout whose audience keeps adding people remembers the population after which it may be completed. */
export class RememberLastPopulations1764920000000 implements MigrationInterface {
  readonly name = 'RememberLastPopulations1764920000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { whole } = columnTypes(queryRunner);
    await queryRunner.query(`ALTER TABLE "callouts" ADD COLUMN "last_population_id" ${whole}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "callouts" DROP COLUMN "last_population_id"');
  }
}
