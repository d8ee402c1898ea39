import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

export class AddCallFlows1764200000000 implements MigrationInterface {
  readonly name = 'AddCallFlows1764200000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { optionalJsonObject, optionalTimestamp } = columnTypes(queryRunner);
    const statements = [
      `ALTER TABLE "phone_calls" ADD COLUMN "call_flow_state" ${optionalJsonObject}`,
      `ALTER TABLE "callouts" ADD COLUMN "stopped_at" ${optionalTimestamp}`,
      `UPDATE "callouts" SET "stopped_at" = "updated_at" WHERE "status" = 'stopped'`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      'ALTER TABLE "callouts" DROP COLUMN "stopped_at"',
      'ALTER TABLE "phone_calls" DROP COLUMN "call_flow_state"',
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }
}
