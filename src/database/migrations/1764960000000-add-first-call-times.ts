import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** A column for when the first call to a participant was dialed. */
export class AddFirstCallTimes1764960000000 implements MigrationInterface {
  readonly name = 'AddFirstCallTimes1764960000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { optionalTimestamp } = columnTypes(queryRunner);
    await queryRunner.query(`ALTER TABLE "callout_participations" ADD COLUMN "first_call_at" ${optionalTimestamp}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "callout_participations" DROP COLUMN "first_call_at"');
  }
}
