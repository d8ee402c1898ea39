import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndex, dropIndex } from './concurrent-index.js';

/** Replaces the index of calls that are being dialed by one that also has the reserved calls. */
export class IndexHandedOutCalls1764400000000 implements MigrationInterface {
  readonly name = 'IndexHandedOutCalls1764400000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createIndex(
      queryRunner,
      'phone_calls_handed_out',
      `"phone_calls" ("leased_until") WHERE "status" = 'queued' AND "leased_until" IS NOT NULL`,
    );
    await dropIndex(queryRunner, 'phone_calls_dialling');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_handed_out"');
    await queryRunner.query(
      `CREATE INDEX "phone_calls_dialling" ON "phone_calls" ("leased_until") WHERE "lease_token" IS NOT NULL`,
    );
  }
}
