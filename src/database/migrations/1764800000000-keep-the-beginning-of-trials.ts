import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** The beginning of a callout's trial is kept when the trial ends. It separates later refusals from earlier ones. */
export class KeepTheBeginningOfTrials1764800000000 implements MigrationInterface {
  readonly name = 'KeepTheBeginningOfTrials1764800000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { optionalTimestamp } = columnTypes(queryRunner);
    await queryRunner.query(`ALTER TABLE "callouts" ADD COLUMN "trial_ended_at" ${optionalTimestamp}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('UPDATE "callouts" SET "trial_began_at" = NULL WHERE "trial_ended_at" IS NOT NULL');
    await queryRunner.query('ALTER TABLE "callouts" DROP COLUMN "trial_ended_at"');
  }
}
