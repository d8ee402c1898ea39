import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IndexParticipationsOfCallouts1764300000000 implements MigrationInterface {
  readonly name = 'IndexParticipationsOfCallouts1764300000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE INDEX "callout_participations_callout_id" ON "callout_participations" ("callout_id", "id")`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "callout_participations_callout_id"');
  }
}
