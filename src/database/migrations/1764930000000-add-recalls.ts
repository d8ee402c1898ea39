import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';
import { foreignKey } from './foreign-key.js';

/** The calls of a callout can be recalled: the provider is asked to end them, at a rate of its own. */
export class AddRecalls1764930000000 implements MigrationInterface {
  readonly name = 'AddRecalls1764930000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { id, whole, timestamp, optionalTimestamp } = columnTypes(queryRunner);
    const statements = [
      `CREATE TABLE "recalls" (
        "id" ${id},
        "callout_id" ${whole} NOT NULL,
        "reason" text NOT NULL,
        "end_status" text NOT NULL,
        "requested_by" text,
        "requested_at" ${timestamp},
        "people" ${whole} NOT NULL,
        "done_before" ${whole} NOT NULL,
        ${foreignKey('recalls', 'callout_id', 'callouts')}
      )`,
      'CREATE INDEX "recalls_callout_id" ON "recalls" ("callout_id", "id")',
      `CREATE TABLE "recalled_calls" (
        "id" ${id},
        "recall_id" ${whole} NOT NULL,
        "phone_call_id" ${whole} NOT NULL,
        "remote_status" text,
        "due_at" ${optionalTimestamp},
        "tries" ${whole} NOT NULL DEFAULT 0,
        "error" text,
        ${foreignKey('recalled_calls', 'recall_id', 'recalls')},
        ${foreignKey('recalled_calls', 'phone_call_id', 'phone_calls')}
      )`,
      `CREATE UNIQUE INDEX "recalled_calls_phone_call_id_recall_id_key"
        ON "recalled_calls" ("phone_call_id", "recall_id")`,
      'CREATE INDEX "recalled_calls_recall_id" ON "recalled_calls" ("recall_id")',
      'CREATE INDEX "recalled_calls_due_at" ON "recalled_calls" ("due_at", "id") WHERE "due_at" IS NOT NULL',
      `INSERT INTO "paces" ("name") VALUES ('recall')`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "recalled_calls"');
    await queryRunner.query('DROP TABLE "recalls"');
    await queryRunner.query(`DELETE FROM "paces" WHERE "name" = 'recall'`);
  }
}
