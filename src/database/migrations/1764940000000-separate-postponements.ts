import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** Calls that the provider refused for a moment have a time of their own. It was mistaken for a reservation before. */
export class SeparatePostponements1764940000000 implements MigrationInterface {
  readonly name = 'SeparatePostponements1764940000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { optionalTimestamp } = columnTypes(queryRunner);
    await queryRunner.query(`ALTER TABLE "phone_calls" ADD COLUMN "postponed_until" ${optionalTimestamp}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "phone_calls" DROP COLUMN "postponed_until"');
  }
}
