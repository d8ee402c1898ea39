import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSettings1764600000000 implements MigrationInterface {
  readonly name = 'CreateSettings1764600000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE "settings" (
        "name" text PRIMARY KEY NOT NULL,
        "value" text NOT NULL
      )`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "settings"');
  }
}
