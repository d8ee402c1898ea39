import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One index for calls that are handed out and for those that are being dialled: it was for the latter only. */
export class IndexHandedOutCalls1764400000000 implements MigrationInterface {
  readonly name = 'IndexHandedOutCalls1764400000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_dialling"');
    await queryRunner.query(
      `CREATE INDEX "phone_calls_handed_out" ON "phone_calls" ("leased_until")
        WHERE "status" = 'queued' AND "leased_until" IS NOT NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_handed_out"');
    await queryRunner.query(
      `CREATE INDEX "phone_calls_dialling" ON "phone_calls" ("leased_until") WHERE "lease_token" IS NOT NULL`,
    );
  }
}
