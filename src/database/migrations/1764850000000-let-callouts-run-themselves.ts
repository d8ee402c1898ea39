import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** A callout has a priority, an audience, a dial plan, and the times at which it starts and expires. */
export class LetCalloutsRunThemselves1764850000000 implements MigrationInterface {
  readonly name = 'LetCalloutsRunThemselves1764850000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { optionalJsonObject, optionalTimestamp } = columnTypes(queryRunner);
    const statements = [
      ...[
        `"priority" text NOT NULL DEFAULT 'normal'`,
        `"audience" ${optionalJsonObject}`,
        `"dial_plan" ${optionalJsonObject}`,
        `"starts_at" ${optionalTimestamp}`,
        `"expires_at" ${optionalTimestamp}`,
        `"started_at" ${optionalTimestamp}`,
        `"completed_at" ${optionalTimestamp}`,
      ].map((column) => `ALTER TABLE "callouts" ADD COLUMN ${column}`),
      `CREATE INDEX "callouts_scheduled" ON "callouts" ("starts_at") WHERE "status" = 'scheduled'`,
      `CREATE INDEX "callouts_running" ON "callouts" ("id") WHERE "status" = 'running'`,
      `CREATE INDEX "callouts_expires_at" ON "callouts" ("expires_at")
        WHERE "expires_at" IS NOT NULL AND "status" NOT IN ('stopped', 'completed')`,
      `CREATE INDEX "callouts_priority" ON "callouts" ("priority", "id") WHERE "priority" <> 'normal'`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const columns = ['priority', 'audience', 'dial_plan', 'starts_at', 'expires_at', 'started_at', 'completed_at'];
    const statements = [
      // The older version does not know these statuses. Neither of the new ones dials anybody.
      `UPDATE "callouts" SET "status" = 'paused' WHERE "status" = 'scheduled'`,
      `UPDATE "callouts" SET "status" = 'stopped', "stopped_at" = "completed_at" WHERE "status" = 'completed'`,
      ...['priority', 'expires_at', 'running', 'scheduled'].map((name) => `DROP INDEX "callouts_${name}"`),
      ...columns.map((column) => `ALTER TABLE "callouts" DROP COLUMN "${column}"`),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }
}
