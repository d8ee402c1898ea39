import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndex } from './concurrent-index.js';

export class IndexParticipationsOfCallouts1764300000000 implements MigrationInterface {
  readonly name = 'IndexParticipationsOfCallouts1764300000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createIndex(
      queryRunner,
      'callout_participations_callout_id',
      '"callout_participations" ("callout_id", "id")',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "callout_participations_callout_id"');
  }
}
