import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaceIndex } from './concurrent-index.js';

/**
 * Indexes that PostgreSQL uses whatever its statistics are. The calls of a callout with a status are in the order of
 * their ids, and calls with a lease are found by the lease alone.
 */
export class IndexCallsForAnyStatistics1764500000000 implements MigrationInterface {
  readonly name = 'IndexCallsForAnyStatistics1764500000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await replaceIndex(queryRunner, 'phone_calls_callout_id_status', '"phone_calls" ("callout_id", "status", "id")');
    await replaceIndex(
      queryRunner,
      'phone_calls_handed_out',
      '"phone_calls" ("leased_until") WHERE "leased_until" IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_handed_out"');
    await queryRunner.query(
      `CREATE INDEX "phone_calls_handed_out" ON "phone_calls" ("leased_until")
        WHERE "status" = 'queued' AND "leased_until" IS NOT NULL`,
    );
    await queryRunner.query('DROP INDEX "phone_calls_callout_id_status"');
    await queryRunner.query(`CREATE INDEX "phone_calls_callout_id_status" ON "phone_calls" ("callout_id", "status")`);
  }
}
