import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndex } from './concurrent-index.js';
import { fillIn } from './fill-in.js';

/** Fills in the times of the first calls of the participations between two ids, as outcomes/outcome.ts does. */
const fillInFirstCalls = (first: number, last: number): string => `
  UPDATE "callout_participations" SET "first_call_at" = (
    SELECT min("dialled_at") FROM "phone_calls"
    WHERE "callout_participation_id" = "callout_participations"."id" AND "status" <> 'queued')
  WHERE "id" BETWEEN ${first} AND ${last} AND "attempts" > 0`;

/**
 * Fills in the column of the previous migration, and creates the indexes for the times in reports. It can be
 * interrupted and repeated.
 */
export class FillInFirstCallTimes1764970000000 implements MigrationInterface {
  readonly name = 'FillInFirstCallTimes1764970000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await fillIn(queryRunner, 'callout_participations', fillInFirstCalls);
    await createIndex(
      queryRunner,
      'callout_participations_first_call_at',
      '"callout_participations" ("callout_id", "first_call_at", "id") WHERE "first_call_at" IS NOT NULL',
    );
    await createIndex(
      queryRunner,
      'phone_calls_rings',
      `"phone_calls" ("callout_id", "dialled_at") WHERE coalesce("remote_call_id", '') <> ''`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_rings"');
    await queryRunner.query('DROP INDEX "callout_participations_first_call_at"');
  }
}
