import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndex } from './concurrent-index.js';

/** Indexes of the calls that wait to be queued, and of the calls by the time at which they were placed. */
export class IndexCallsByStage1764620000000 implements MigrationInterface {
  readonly name = 'IndexCallsByStage1764620000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createIndex(queryRunner, 'phone_calls_created', `"phone_calls" ("id") WHERE "status" = 'created'`);
    await createIndex(queryRunner, 'phone_calls_remotely_queued_at', '"phone_calls" ("remotely_queued_at")');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_remotely_queued_at"');
    await queryRunner.query('DROP INDEX "phone_calls_created"');
  }
}
